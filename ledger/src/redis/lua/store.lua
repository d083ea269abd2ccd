-- Stores a result unless the job has one. A: job, value, lifetime in ms if the job is
-- unknown. Returns 1 if the result was stored.
local key, job = P .. 'r:' .. A[1], A[1]
if call('EXISTS', key) == 1 then return 0 end
local finished = call('ZSCORE', P .. 'finished', job)
if finished then
  call('SET', key, A[2], 'PX', KEEP)
  count(job, finished)
elseif call('EXISTS', P .. 'j:' .. job) == 1 then
  call('SET', key, A[2])
else
  call('SET', key, A[2], 'PX', A[3])
end
event('result', 'job', job)
sweep(now_ms())
return 1
