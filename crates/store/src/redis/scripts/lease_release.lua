-- Gives a lease back; its fence stays for a day. KEYS: lease. ARGV: holder, fence.
local lease = redis.call('HMGET', KEYS[1], 'holder', 'fence')
if lease[1] == ARGV[1] and lease[2] == ARGV[2] then redis.call('HDEL', KEYS[1], 'holder', 'until') end
return '1'
