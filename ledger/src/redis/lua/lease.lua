-- A worker's lease on a job. A: verb, job, worker, ttl in ms, fence.
-- claim gives a new fence and outdates every older one: the broker decides who
-- works, the fence only tells who came last. renew and release give 1, or 0
-- when the fence is outdated. The fence outlives the lease, so that an older
-- holder cannot pass for the newest once that one is gone.
local verb, job, worker = A[1], A[2], A[3]
local key = P .. 'l:' .. job
if verb == 'release' then
  if call('HGET', key, 'fence') ~= A[5] then return 0 end
  call('ZREM', P .. 'leases', job)
  return 1
end
local fence = A[5]
if verb == 'claim' then
  fence = next_fence()
else
  local newest = call('HGET', key, 'fence')
  if newest and newest ~= fence then return 0 end
end
call('HSET', key, 'fence', fence, 'worker', worker)
call('PEXPIRE', key, KEEP)
call('ZADD', P .. 'leases', now_ms() + tonumber(A[4]), job)
return verb == 'claim' and fence or 1
