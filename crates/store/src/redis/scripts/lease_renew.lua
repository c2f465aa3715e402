-- Prolongs a lease that still runs. KEYS: lease. ARGV: holder, fence, ttl_ms, now.
local lease = redis.call('HMGET', KEYS[1], 'holder', 'fence', 'until')
local now = tonumber(ARGV[4])
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] or tonumber(lease[3]) <= now then return false end
local ends = number(now + tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'until', ends)
redis.call('PEXPIRE', KEYS[1], number(tonumber(ARGV[3]) + DAY))
return ends
