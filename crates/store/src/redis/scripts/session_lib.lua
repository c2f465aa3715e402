-- KEYS of every script of sessions: rows, by, ends, answer, channel.
-- A row is `EXPIRES_AT MEMBER ACCOUNT\nDATA`; the account may be empty.

local function forget(hash, row)
  local member, account = string.match(row, '^%S+ (%S+) (%S*)\n')
  redis.call('HDEL', KEYS[1], hash)
  redis.call('ZREM', KEYS[2], 'm ' .. member .. ' ' .. hash, 'a ' .. account .. ' ' .. hash)
  redis.call('ZREM', KEYS[3], hash)
end

local function remember(hash, row)
  local ends, member, account = string.match(row, '^(%S+) (%S+) (%S*)\n')
  redis.call('HSET', KEYS[1], hash, row)
  redis.call('ZADD', KEYS[2], 0, 'm ' .. member .. ' ' .. hash)
  if account ~= '' then redis.call('ZADD', KEYS[2], 0, 'a ' .. account .. ' ' .. hash) end
  redis.call('ZADD', KEYS[3], ends, hash)
  outlive(KEYS[1], ends)
  outlive(KEYS[2], ends)
  outlive(KEYS[3], ends)
end

