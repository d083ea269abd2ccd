-- One page of tickets. A: index, seq after which it starts, count, the most bytes
-- of one ticket. Returns a list of {ticket, job, upstream, at, seq}. A ticket that
-- is damaged or larger leaves the index, and only its id is returned.
local out = {}
local ids = call('ZRANGEBYSCORE', P .. A[1], '(' .. A[2], '+inf', 'WITHSCORES', 'LIMIT', 0, A[3])
for i = 1, #ids, 2 do
  local f = redis.pcall('HMGET', P .. 't:' .. ids[i], 'job', 'upstream', 'at')
  if f[1] and f[2] and f[3] and size(f) <= tonumber(A[4]) then
    out[#out + 1] = { ids[i], f[1], f[2], f[3], ids[i + 1] }
  else
    call('ZREM', P .. A[1], ids[i])
    out[#out + 1] = { ids[i], '', '', '', ids[i + 1] }
  end
end
return out
