-- Makes a damaged job unknown; its result stays. A: job.
forget(A[1], false)
event('forgotten', 'job', A[1])
return 1
