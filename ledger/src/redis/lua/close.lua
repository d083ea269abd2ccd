-- Closes a ticket, also a damaged one. A: ticket. Returns 1 if it was open.
local entry = P .. 't:' .. A[1]
local was = call('ZREM', P .. 'tickets', A[1])
local known = redis.pcall('HMGET', entry, 'job', 'owner')
call('DEL', entry)
if known[1] then
  call('ZREM', P .. 'tj:' .. known[1], A[1])
  event('closed', 'job', known[1], 'ticket', A[1])
end
if known[2] and known[2] ~= '' then call('ZREM', P .. 'to:' .. known[2], A[1]) end
return was
