-- Puts one session in the place of another, in one step. ARGV: old hash, new hash, new row, now.
local done = said(KEYS[4])
if done then return done end
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old or tonumber(string.match(old, '^%S+')) <= tonumber(ARGV[4]) then return '0' end
if ARGV[1] ~= ARGV[2] and redis.call('HEXISTS', KEYS[1], ARGV[2]) == 1 then return '0' end
forget(ARGV[1], old)
remember(ARGV[2], ARGV[3])
redis.call('SPUBLISH', KEYS[5], 'E' .. ARGV[1])
return say(KEYS[4], '1')
