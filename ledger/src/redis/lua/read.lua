-- A value. A: key, the most bytes. Returns false if there is none, and the size of
-- a larger one.
local bytes = call('STRLEN', P .. A[1])
if bytes == 0 then return false end
if bytes > tonumber(A[2]) then return bytes end
return call('GET', P .. A[1])
