-- Deletes at most 500 sessions that have expired. ARGV: now.
local done = said(KEYS[4])
if done then return done end
local ended = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[1], 'LIMIT', 0, 500)
for _, hash in ipairs(ended) do
  local row = redis.call('HGET', KEYS[1], hash)
  if row then forget(hash, row) else redis.call('ZREM', KEYS[3], hash) end
  redis.call('SPUBLISH', KEYS[5], 'E' .. hash)
end
return say(KEYS[4], number(#ended))
