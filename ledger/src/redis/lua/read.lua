-- A value. A: key, bytes that it may have. Gives false for none, its size for
-- one that is too large.
local bytes = call('STRLEN', P .. A[1])
if bytes == 0 then return false end
if bytes > tonumber(A[2]) then return bytes end
return call('GET', P .. A[1])
