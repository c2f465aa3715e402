-- Replaces the row of the expected generation. KEYS: account, answer. ARGV: expected, generation, data.
local done = said(KEYS[2])
if done then return done end
local stored = redis.call('HGET', KEYS[1], 'generation')
if not stored or stored ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'data') == 0 then return '0' end
local generation = math.max(tonumber(ARGV[2]), tonumber(stored))
redis.call('HSET', KEYS[1], 'generation', number(generation), 'data', ARGV[3])
return say(KEYS[2], '1')
