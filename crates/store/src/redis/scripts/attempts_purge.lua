-- Deletes at most 500 attempts that have expired. KEYS: rows, ends, answer. ARGV: now.
local done = said(KEYS[3])
if done then return done end
local ended = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, 500)
for _, state in ipairs(ended) do
  redis.call('HDEL', KEYS[1], state)
  redis.call('ZREM', KEYS[2], state)
end
return say(KEYS[3], number(#ended))
