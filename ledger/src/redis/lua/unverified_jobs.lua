-- The jobs that have an unverified reply, oldest first. A job whose reply expired or
-- was evicted leaves the index.
local out = {}
for _, job in ipairs(call('ZRANGE', P .. 'unverified', 0, -1)) do
  if call('EXISTS', P .. 'v:' .. job) == 1 then
    out[#out + 1] = job
  else
    call('ZREM', P .. 'unverified', job)
  end
end
return out
