-- Reads a value. A: key, the most bytes. Returns the value, false if the key is
-- absent, or the size of a larger value.
local bytes = call('STRLEN', P .. A[1])
if bytes == 0 then return false end
if bytes > tonumber(A[2]) then return bytes end
return call('GET', P .. A[1])
