-- Stores a new session. ARGV: hash, row.
local done = said(KEYS[4])
if done then return done end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return '0' end
remember(ARGV[1], ARGV[2])
return say(KEYS[4], '1')
