-- A job's attempts. A: job, bytes that all may have, how many there may be.
-- Gives their size when they are too large.
local list = P .. 'a:' .. A[1]
if call('LLEN', list) > tonumber(A[3]) then return call('LLEN', list) end
local items = call('LRANGE', list, 0, -1)
local bytes = size(items)
if bytes > tonumber(A[2]) then return bytes end
return items
