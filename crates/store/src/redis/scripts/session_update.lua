-- Replaces an existing session. ARGV: hash, row.
local done = said(KEYS[4])
if done then return done end
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old then return '0' end
forget(ARGV[1], old)
remember(ARGV[1], ARGV[2])
redis.call('SPUBLISH', KEYS[5], 'C' .. ARGV[1])
return say(KEYS[4], '1')
