-- Replaces the room by a newer version of it; the newest fence stays.
-- KEYS: room, answer, channel. ARGV: expected, version, expires_at, origin, what is told, fields and values.
local done = said(KEYS[2])
if done then return done end
local head = redis.call('HMGET', KEYS[1], 'version', 'fence')
local stored = tonumber(head[1] or '0')
if stored ~= tonumber(ARGV[1]) or stored >= tonumber(ARGV[2]) then return 'conflict ' .. number(stored) end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'fence', head[2] or '0', 'expires_at', ARGV[3])
pieces('HSET', KEYS[1], ARGV, 6, #ARGV, 1000)
if ARGV[3] ~= '' then
  redis.call('PEXPIREAT', KEYS[1], number(math.max(tonumber(ARGV[3]), server_ms()) + 7 * DAY))
end
redis.call('SPUBLISH', KEYS[3], ARGV[2] .. ' ' .. ARGV[4] .. '\n' .. ARGV[5])
return say(KEYS[2], 'made ' .. ARGV[2])
