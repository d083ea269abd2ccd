-- Live leases. A: count. Gives a list of {job, worker, fence, ms left}.
local out, now = {}, now_ms()
local jobs = call('ZRANGEBYSCORE', P .. 'leases', now, '+inf', 'WITHSCORES', 'LIMIT', 0, A[1])
for i = 1, #jobs, 2 do
  local f = call('HMGET', P .. 'l:' .. jobs[i], 'worker', 'fence')
  if f[1] and f[2] then
    out[#out + 1] = { jobs[i], f[1], f[2], tostring(tonumber(jobs[i + 1]) - now) }
  end
end
return out
