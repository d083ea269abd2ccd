-- The common part of the scripts: each script is this file, then its own file.
--
-- KEYS[1] is the prefix of all keys, ARGV[1] the circuit's place below it. Keys:
--   manifest:<circuit>   string, JSON: the fleet's key; written once
--   lock:<circuit>       hash: fence, who, since, fraction, call; expires
--   fence:<circuit>      string: the largest fence so far
--   vk:<blake3>          string: a verification key's bytes
--   client:<name>        string: the BLAKE3 of a client circuit's key

local P = KEYS[1]
local MANIFEST = P .. 'manifest:' .. ARGV[1]
local LOCK = P .. 'lock:' .. ARGV[1]
local FENCE = P .. 'fence:' .. ARGV[1]

local function now_us()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end

local function now_ms() return math.floor(now_us() / 1000) end

-- A fence that is larger than every earlier fence, even if Redis lost its data.
local function next_fence()
  local last = tonumber(redis.call('GET', FENCE) or '0')
  return string.format('%.0f', math.max(last + 1, now_us()))
end

-- Whether another process took the lock after the holder of `fence`.
local function outdated(fence)
  local last = redis.call('GET', FENCE)
  return last and tonumber(last) > tonumber(fence)
end

local function hold(fence, who, since, fraction, lease)
  redis.call('SET', FENCE, fence)
  redis.call('HSET', LOCK, 'fence', fence, 'who', who, 'since', since, 'fraction', fraction)
  redis.call('PEXPIRE', LOCK, lease)
end

-- Deletes the lock if its fence is still `fence`.
local function release(fence)
  if redis.call('HGET', LOCK, 'fence') == fence then redis.call('DEL', LOCK) end
end

-- The lock's holder: name, milliseconds since it began, fraction; or false.
local function holder()
  local h = redis.call('HMGET', LOCK, 'who', 'since', 'fraction')
  if not h[1] then return false end
  local since = math.max(0, now_ms() - tonumber(h[2] or '0'))
  return { h[1], string.format('%.0f', since), h[3] or '0' }
end
