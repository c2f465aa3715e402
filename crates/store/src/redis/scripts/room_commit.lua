-- Makes version n+1 of version n, whole, or says why not.
-- KEYS: room, answer, channel.
-- ARGV: expected, fence, expires_at, origin, what is told, number of fields and values that follow, they, fields to delete.
local done = said(KEYS[2])
if done then return done end
local head = redis.call('HMGET', KEYS[1], 'version', 'fence')
local expected = tonumber(ARGV[1])
if expected == 0 then
  if head[1] then return 'conflict ' .. head[1] end
elseif not head[1] then
  return 'gone'
end
local fence = head[2] or '0'
if ARGV[2] ~= '' then
  if tonumber(ARGV[2]) < tonumber(fence) then return 'fenced' end
  fence = ARGV[2]
end
if tonumber(head[1] or '0') ~= expected then return 'conflict ' .. head[1] end
local version = number(expected + 1)
local last = 6 + tonumber(ARGV[6])
redis.call('HSET', KEYS[1], 'version', version, 'fence', fence, 'expires_at', ARGV[3])
pieces('HSET', KEYS[1], ARGV, 7, last, 1000)
pieces('HDEL', KEYS[1], ARGV, last + 1, #ARGV, 1000)
if ARGV[3] == '' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIREAT', KEYS[1], number(math.max(tonumber(ARGV[3]), server_ms()) + 7 * DAY))
end
redis.call('SPUBLISH', KEYS[3], version .. ' ' .. ARGV[4] .. '\n' .. ARGV[5])
return say(KEYS[2], 'made ' .. version)
