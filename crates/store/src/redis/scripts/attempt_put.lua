-- Stores a sign-in attempt and keeps the cap. KEYS: rows, ends, answer. ARGV: state, expires_at, row, cap, now.
local done = said(KEYS[3])
if done then return done end
local function forget(states)
  for _, state in ipairs(states) do
    redis.call('HDEL', KEYS[1], state)
    redis.call('ZREM', KEYS[2], state)
  end
end
forget({ ARGV[1] })
forget(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[5], 'LIMIT', 0, 500))
local cap = tonumber(ARGV[4])
-- What has expired beyond those 500 comes first in this order as well.
local excess = redis.call('ZCARD', KEYS[2]) - math.max(cap, 1) + 1
if excess > 0 then forget(redis.call('ZRANGE', KEYS[2], 0, excess - 1)) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
outlive(KEYS[1], ARGV[2])
outlive(KEYS[2], ARGV[2])
return say(KEYS[3], '1')
