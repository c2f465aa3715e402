-- Grants the lease where nobody else holds it. KEYS: lease, answer. ARGV: holder, ttl_ms, now.
local done = said(KEYS[2])
if done then return done end
local lease = redis.call('HMGET', KEYS[1], 'holder', 'fence', 'until')
local now = tonumber(ARGV[3])
if lease[1] and lease[1] ~= ARGV[1] and tonumber(lease[3]) > now then return false end
-- Not only one more: a failover may have lost the last grants, and an ended lease is cleared away with its fence.
local fence = number(math.max(tonumber(lease[2] or '0') + 1, server_ms()))
local ends = number(now + tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'fence', fence, 'until', ends)
redis.call('PEXPIRE', KEYS[1], number(tonumber(ARGV[2]) + DAY))
return say(KEYS[2], fence .. ' ' .. ends)
