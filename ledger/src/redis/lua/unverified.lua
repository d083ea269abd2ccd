-- Keeps a reply that cannot be verified yet. A: job, value, lifetime in ms, the most
-- replies. A job's score is the time of its first such reply.
local index = P .. 'unverified'
call('ZADD', index, 'NX', now_ms(), A[1])
call('SET', P .. 'v:' .. A[1], A[2], 'PX', A[3])
while call('ZCARD', index) > tonumber(A[4]) do
  local oldest = call('ZPOPMIN', index)
  call('DEL', P .. 'v:' .. oldest[1])
end
return 1
