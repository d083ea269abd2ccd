-- Drops a job's result if the result still begins with the given bytes. A: job, bytes or ''.
local key = P .. 'r:' .. A[1]
if A[2] ~= '' and call('GETRANGE', key, 0, #A[2] - 1) ~= A[2] then return 0 end
local was = call('DEL', key)
local finished = call('ZSCORE', P .. 'finished', A[1])
if finished then count(A[1], finished) end
return was
