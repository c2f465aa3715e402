-- Forgets the memberships of a room. KEYS: memberships. ARGV: code.
local of = 'c ' .. ARGV[1]
local found = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. of .. ' ', '(' .. of .. '!')
for _, entry in ipairs(found) do
  local member = string.sub(entry, #of + 2)
  redis.call('ZREM', KEYS[1], entry, 'm ' .. member .. ' ' .. ARGV[1])
end
return #found
