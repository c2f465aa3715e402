-- Deletes the row; its generation stays. KEYS: account, answer.
local done = said(KEYS[2])
if done then return done end
if redis.call('HDEL', KEYS[1], 'data') == 0 then return '0' end
return say(KEYS[2], '1')
