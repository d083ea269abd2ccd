-- A job's attempts. A: job, the most bytes of all, the most attempts. Returns
-- their number or their bytes when there are more.
local list = P .. 'a:' .. A[1]
if call('LLEN', list) > tonumber(A[3]) then return call('LLEN', list) end
local items = call('LRANGE', list, 0, -1)
local bytes = size(items)
if bytes > tonumber(A[2]) then return bytes end
return items
