-- Stores a new authorization under a generation that was never there. KEYS: account, answer. ARGV: generation, data.
local done = said(KEYS[2])
if done then return done end
local highest = redis.call('HGET', KEYS[1], 'generation')
local generation = tonumber(ARGV[1])
if highest then generation = math.max(generation, tonumber(highest) + 1) end
redis.call('HSET', KEYS[1], 'generation', number(generation), 'data', ARGV[2])
return say(KEYS[2], number(generation))
