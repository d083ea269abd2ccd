-- Takes a ticket. A: ticket, upstream, job, taken_at_ms, nonce, owner,
-- limit of open tickets, framed request, then the new job's fields. An empty
-- request was uploaded to 'u:' before: Lua hashes every byte of a string argument,
-- which costs more than the rest of the script.
-- Returns {'full'}, {'gone', 0} without that upload, or {new ticket, new job, the
-- record}.
local ticket, upstream, job, at, nonce, owner = A[1], A[2], A[3], A[4], A[5], A[6]
local entry, record, request = P .. 't:' .. ticket, P .. 'j:' .. job, P .. 'q:' .. job
local upload = P .. 'u:' .. job
if A[8] == '' and call('EXISTS', upload) == 0 then return { 'gone', 0 } end
local function put_request()
  if A[8] ~= '' then
    call('SET', request, A[8])
  else
    call('RENAME', upload, request)
    call('PERSIST', request)
  end
end
local known = redis.pcall('HMGET', entry, 'nonce', 'fresh', 'owner')
if known.err then
  call('DEL', entry)
  known = {}
end
local new_ticket = not known[1]
local new_job = call('EXISTS', record) == 0
if new_ticket and call('ZCARD', P .. 'tickets') >= tonumber(A[7]) then return { 'full' } end

local now = now_ms()
if new_job then
  local seq = call('INCR', P .. 'seq')
  local fields = { 'seq', seq }
  for i = 9, #A do fields[#fields + 1] = A[i] end
  -- An older record of this job may have expired or been evicted: its remains would
  -- count this one among the finished.
  forget(job, false)
  call('HSET', record, unpack(fields))
  -- A proof that came while the ledger was lost has a short lifetime: keep it.
  call('PERSIST', P .. 'r:' .. job)
  call('ZADD', P .. 's:taken', seq, job)
  put_request()
else
  local state = call('HGET', record, 'state')
  if call('EXISTS', request) == 0 then
    put_request()
    if FINISHED[state] then call('PEXPIRE', request, KEEP) end
  end
  if state == 'withdrawn' or state == 'rejected' then
    move(job, state, 'taken', now)
    call('HSET', record, 'attempt', 1)
    event('taken', 'job', job, 'from', state)
  end
end

if new_ticket then
  local seq = call('INCR', P .. 'seq')
  call('HSET', entry, 'job', job, 'upstream', upstream, 'at', at, 'seq', seq,
    'nonce', nonce, 'fresh', new_job and 1 or 0, 'owner', '')
  call('ZADD', P .. 'tickets', seq, ticket)
  call('ZADD', P .. 'tj:' .. job, seq, ticket)
  event(new_job and 'taken' or 'joined', 'job', job, 'ticket', ticket, 'upstream', upstream)
elseif known[1] == nonce then
  -- A repetition of the last call, whose answer was lost.
  new_ticket, new_job = true, known[2] == '1'
end
if owner ~= '' and known[3] ~= owner then
  local seq = call('HGET', entry, 'seq')
  if known[3] and known[3] ~= '' then call('ZREM', P .. 'to:' .. known[3], ticket) end
  call('HSET', entry, 'owner', owner)
  call('ZADD', P .. 'to:' .. owner, seq, ticket)
  call('SADD', P .. 'owners', owner)
end
if A[8] == '' then call('UNLINK', upload) end
sweep(now)
return { new_ticket and 1 or 0, new_job and 1 or 0, call('HGETALL', record) }
