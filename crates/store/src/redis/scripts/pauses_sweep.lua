-- Forgets pauses that ended long ago, unless they were prolonged. KEYS: pauses. ARGV: ended before, names.
for at = 2, #ARGV do
  local stored = redis.call('HGET', KEYS[1], ARGV[at])
  if stored and tonumber(stored) < tonumber(ARGV[1]) then redis.call('HDEL', KEYS[1], ARGV[at]) end
end
return '1'
