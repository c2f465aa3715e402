-- Deletes a session. ARGV: hash.
local done = said(KEYS[4])
if done then return done end
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old then return '0' end
forget(ARGV[1], old)
redis.call('SPUBLISH', KEYS[5], 'E' .. ARGV[1])
return say(KEYS[4], '1')
