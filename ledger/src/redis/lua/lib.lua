-- The part that all scripts share: each script is this file and its own.
--
-- KEYS[1] is the prefix of all keys; ARGV[1..4] are the limits; A holds what
-- follows. Keys below the prefix:
--   epoch, seq, fences           strings     j:<job>            hash, the record
--   tickets                      zset, seq   q:<job>            string, the request
--   t:<ticket>                   hash        r:<job>            string, the result
--   tj:<job>, to:<owner>         zset, seq   a:<job>            list, the attempts
--   owners                       set         b:<bridge>         string, its fence
--   s:<state>                    zset, seq   events             stream
--   finished                     zset, time  w:<slot>           string, its report
--   fbytes                       hash        workers            zset, slots
--   ftotal                       string      unverified         zset, time
--   v:<job>                      string, a reply that cannot be verified yet
--
-- A script that only removes data begins with a command that Redis runs even when its
-- memory is full (ZREM, DEL). After its first write a script may run every command, so
-- removing works although taking fails, and frees memory.

local P = KEYS[1]
local KEEP, JOBS, BYTES, EVENTS =
  tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local A = {}
for i = 5, #ARGV do A[i - 4] = ARGV[i] end

local FINISHED = { delivered = true, rejected = true, withdrawn = true }

local function call(...) return redis.call(...) end

local function now_us()
  local t = call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end

local function now_ms() return math.floor(now_us() / 1000) end

-- Adds to the stream of events. Texts are cut, so that the stream is bounded in
-- bytes, too.
local function event(what, ...)
  local fields = { ... }
  for i = 2, #fields, 2 do fields[i] = string.sub(fields[i], 1, 256) end
  call('XADD', P .. 'events', 'MAXLEN', '~', EVENTS, '*', 'what', what, unpack(fields))
end

-- A fence contains the time: it is larger than every earlier fence, even after a loss
-- of all data. A bridge from before the loss must not pass for the newest.
local function next_fence()
  local last = tonumber(call('GET', P .. 'fences') or '0')
  local fence = string.format('%.0f', math.max(last + 1, now_us()))
  call('SET', P .. 'fences', fence)
  return fence
end

-- The finished jobs and their bytes. They are ordered by microseconds, because
-- many finish in one millisecond.
local function uncount(job)
  call('ZREM', P .. 'finished', job)
  local bytes = call('HGET', P .. 'fbytes', job)
  if bytes then
    call('HDEL', P .. 'fbytes', job)
    call('DECRBY', P .. 'ftotal', bytes)
  end
end

local function count(job, at_us)
  uncount(job)
  local bytes = call('STRLEN', P .. 'q:' .. job) + call('STRLEN', P .. 'r:' .. job)
  call('ZADD', P .. 'finished', at_us, job)
  call('HSET', P .. 'fbytes', job, bytes)
  call('INCRBY', P .. 'ftotal', bytes)
end

-- Deletes a job's record. Its tickets stay; a bridge that finds a ticket without a job
-- stops pinging it. The result stays if the job may come back.
local function forget(job, with_result)
  uncount(job)
  local states = { 'taken', 'queued', 'claimed', 'proving', 'retrying', 'proved',
    'delivered', 'dead', 'rejected', 'withdrawn' }
  for _, state in ipairs(states) do call('ZREM', P .. 's:' .. state, job) end
  call('ZREM', P .. 'unverified', job)
  call('DEL', P .. 'j:' .. job, P .. 'q:' .. job, P .. 'a:' .. job, P .. 'v:' .. job)
  if with_result then
    call('DEL', P .. 'r:' .. job)
  elseif call('EXISTS', P .. 'r:' .. job) == 1 then
    call('PEXPIRE', P .. 'r:' .. job, KEEP)
  end
end

-- Forgets finished jobs, oldest first, that are too old, too many or too large.
-- At most eight at a time, because a script blocks all other clients.
local function sweep(now)
  for _ = 1, 8 do
    local oldest = call('ZRANGE', P .. 'finished', 0, 0, 'WITHSCORES')
    if #oldest == 0 then return end
    local fits = call('ZCARD', P .. 'finished') <= JOBS
      and tonumber(call('GET', P .. 'ftotal') or '0') <= BYTES
    if fits and tonumber(oldest[2]) > (now - KEEP) * 1000 then return end
    forget(oldest[1], true)
  end
end

-- Moves a job to a state, with its indices, counts and lifetimes.
local function move(job, from, to, now)
  local record = P .. 'j:' .. job
  call('ZREM', P .. 's:' .. from, job)
  call('ZADD', P .. 's:' .. to, call('HGET', record, 'seq') or 0, job)
  call('HSET', record, 'state', to, 'changed', now)
  if FINISHED[to] then
    count(job, now_us())
    for _, kind in ipairs({ 'j:', 'q:', 'a:', 'r:' }) do call('PEXPIRE', P .. kind .. job, KEEP) end
  elseif FINISHED[from] then
    uncount(job)
    for _, kind in ipairs({ 'j:', 'q:', 'a:', 'r:' }) do call('PERSIST', P .. kind .. job) end
  end
end

-- The bytes of a list of strings.
local function size(list)
  local bytes = 0
  for _, item in ipairs(list) do bytes = bytes + #(item or '') end
  return bytes
end
