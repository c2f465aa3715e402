-- Deletes the room where it has expired. KEYS: room, answer. ARGV: now.
local done = said(KEYS[2])
if done then return done end
local ends = redis.call('HGET', KEYS[1], 'expires_at')
if not ends or ends == '' or tonumber(ends) > tonumber(ARGV[1]) then return '0' end
redis.call('UNLINK', KEYS[1])
return say(KEYS[2], '1')
