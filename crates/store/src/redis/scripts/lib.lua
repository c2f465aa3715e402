-- What every script begins with. Numbers beyond 2^53 are not numbers here: versions, fences and instants stay below.

local function number(value)
  return string.format('%.0f', value)
end

-- The server's own time. It decides nothing but when to clear away, and that a fence never comes back.
local function server_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The answer that this write has given before. Said again, so that a WAIT after it waits for something.
local function said(key)
  local answer = redis.call('GET', key)
  if answer then redis.call('SET', key, answer, 'PX', 10000) end
  return answer
end

-- Remembers the answer for as long as the write may be repeated.
local function say(key, answer)
  redis.call('SET', key, answer, 'PX', 10000)
  return answer
end

local DAY = 86400000

-- Lets the key live on for a day after `ends`, by the server's time if that is later; never shortens.
local function outlive(key, ends)
  local at = math.max(tonumber(ends), server_ms()) + DAY
  local now = redis.call('PEXPIRETIME', key)
  if now < at then redis.call('PEXPIREAT', key, number(at)) end
end

-- Calls in pieces that fit on Lua's stack.
local function pieces(command, key, values, from, to, step)
  for first = from, to, step do
    redis.call(command, key, unpack(values, first, math.min(first + step - 1, to)))
  end
end

