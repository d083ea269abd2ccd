-- The records of jobs. A: bytes that one may have, then jobs. Gives for each
-- its fields, false for an unknown one, its size for one that is too large,
-- -1 for one that is no hash: it must not hide the others.
local out = {}
for i = 2, #A do
  local fields = redis.pcall('HGETALL', P .. 'j:' .. A[i])
  if fields.err then
    out[#out + 1] = -1
  elseif #fields == 0 then
    out[#out + 1] = false
  elseif size(fields) > tonumber(A[1]) then
    out[#out + 1] = size(fields)
  else
    out[#out + 1] = fields
  end
end
return out
