-- Moves a job if it is in one of the allowed states. A: job, to, allowed states
-- as ',a,b,', nonce, then fields that change with it.
-- Returns 1 if it moved, else 0.
local job, to, allowed, nonce = A[1], A[2], A[3], A[4]
local record = P .. 'j:' .. job
local now_is = call('HMGET', record, 'state', 'nonce')
local state = now_is[1]
if not state then return 0 end
-- A repetition of the last call, whose answer was lost.
if now_is[2] == nonce then return 1 end
if not string.find(allowed, ',' .. state .. ',', 1, true) then return 0 end
local now = now_ms()
move(job, state, to, now)
local fields = { 'nonce', nonce }
local said = { 'job', job, 'from', state }
for i = 5, #A, 2 do
  fields[#fields + 1], fields[#fields + 2] = A[i], A[i + 1]
  said[#said + 1], said[#said + 2] = A[i], A[i + 1]
end
call('HSET', record, unpack(fields))
event(to, unpack(said))
sweep(now)
return 1
