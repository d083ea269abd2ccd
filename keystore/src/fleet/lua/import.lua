-- Keeps a client circuit's verification key, unless another is there. ARGV[1]:
-- its name, ARGV[2]: BLAKE3, ARGV[3]: the bytes. The BLAKE3 of what is there.
local client = P .. 'client:' .. ARGV[1]
local here = redis.call('GETRANGE', client, 0, 64)
if here ~= '' and here ~= ARGV[2] then return here end
redis.call('SET', P .. 'vk:' .. ARGV[2], ARGV[3])
redis.call('SET', client, ARGV[2])
return ARGV[2]
