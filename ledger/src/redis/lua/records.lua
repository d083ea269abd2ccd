-- The records of jobs. A: the most bytes of one, then jobs. Returns for each job
-- its fields, false if it is unknown, the size of a larger record, or -1 for a key
-- that is no hash: one bad record must not hide the others.
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
