-- Makes a bridge the owner of tickets whose bridges have no heartbeat.
-- A: bridge, fence, count. Returns false when the bridge has another fence or no
-- heartbeat, else a list like tickets.lua's.
local bridge, left = A[1], tonumber(A[3])
if call('GET', P .. 'b:' .. bridge) ~= A[2] then return false end
local out = {}
for _, owner in ipairs(call('SMEMBERS', P .. 'owners')) do
  if owner ~= bridge and call('EXISTS', P .. 'b:' .. owner) == 0 then
    local from = P .. 'to:' .. owner
    local ids = call('ZRANGE', from, 0, left - 1, 'WITHSCORES')
    for i = 1, #ids, 2 do
      local entry = P .. 't:' .. ids[i]
      call('ZREM', from, ids[i])
      local f = call('HMGET', entry, 'job', 'upstream', 'at')
      if f[1] and f[2] and f[3] then
        call('HSET', entry, 'owner', bridge)
        call('ZADD', P .. 'to:' .. bridge, ids[i + 1], ids[i])
        call('SADD', P .. 'owners', bridge)
        out[#out + 1] = { ids[i], f[1], f[2], f[3], ids[i + 1] }
      end
    end
    if #ids > 0 then
      event('adopted', 'bridge', bridge, 'from', owner, 'tickets', tostring(#ids / 2))
    end
    left = left - #ids / 2
    if call('ZCARD', from) == 0 then call('SREM', P .. 'owners', owner) end
    if left <= 0 then break end
  end
end
return out
