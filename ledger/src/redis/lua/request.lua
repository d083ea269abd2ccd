-- Reads the request of a job, like read.lua. A job whose request expired or was
-- evicted cannot be proved: its record is deleted, so that the job is taken again.
-- A: job, the most bytes.
local key = P .. 'q:' .. A[1]
local bytes = call('STRLEN', key)
if bytes > tonumber(A[2]) then return bytes end
if bytes > 0 then return call('GET', key) end
if call('EXISTS', P .. 'j:' .. A[1]) == 1 then
  forget(A[1], false)
  event('forgotten', 'job', A[1])
end
return false
