-- Says whose keys these are; marks an empty place as ours. KEYS: layout. ARGV: our mark.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then
  redis.call('SET', KEYS[1], ARGV[1])
  return ARGV[1]
end
if kind ~= 'string' then return '(' .. kind .. ')' end
return redis.call('GET', KEYS[1])
