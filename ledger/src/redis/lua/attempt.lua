-- Adds to a job's attempts. A: job, value, how many are kept, nonce.
local record, list = P .. 'j:' .. A[1], P .. 'a:' .. A[1]
local known = call('HMGET', record, 'state', 'said')
if not known[1] then return 0 end
-- A repetition of the last call, whose answer was lost.
if known[2] == A[4] then return 1 end
call('HSET', record, 'said', A[4])
call('RPUSH', list, A[2])
call('LTRIM', list, -tonumber(A[3]), -1)
if FINISHED[known[1]] then call('PEXPIRE', list, KEEP) end
return 1
