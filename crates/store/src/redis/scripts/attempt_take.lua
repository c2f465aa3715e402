-- Takes an attempt: of any number of callers, one gets it. KEYS: rows, ends, answer. ARGV: state.
local done = said(KEYS[3])
if done then return done end
local row = redis.call('HGET', KEYS[1], ARGV[1])
if not row then return false end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return say(KEYS[3], row)
