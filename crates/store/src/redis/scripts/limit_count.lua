-- Counts one more in the window that runs, or begins one. KEYS: window, answer. ARGV: window_ms, now.
local done = said(KEYS[2])
if done then return done end
local window = redis.call('HMGET', KEYS[1], 'count', 'until')
local now = tonumber(ARGV[2])
if window[2] and tonumber(window[2]) > now then
  local count = redis.call('HINCRBY', KEYS[1], 'count', 1)
  return say(KEYS[2], number(count) .. ' ' .. window[2])
end
local ends = number(now + tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'count', '1', 'until', ends)
redis.call('PEXPIRE', KEYS[1], number(tonumber(ARGV[1]) + DAY))
return say(KEYS[2], '1 ' .. ends)
