-- Pauses a name; a longer pause stays. KEYS: pauses. ARGV: name, until.
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if not stored or tonumber(stored) < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  outlive(KEYS[1], ARGV[2])
end
return '1'
