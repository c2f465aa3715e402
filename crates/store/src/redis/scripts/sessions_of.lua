-- The sessions of a member (`m ID`) or an account (`a ID`): hash, row, hash, row. KEYS: rows, by. ARGV: whose.
local of = ARGV[1]
local answer = {}
for _, entry in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], '[' .. of .. ' ', '(' .. of .. '!')) do
  local hash = string.sub(entry, #of + 2)
  local row = redis.call('HGET', KEYS[1], hash)
  if row then
    answer[#answer + 1] = hash
    answer[#answer + 1] = row
  end
end
return answer
