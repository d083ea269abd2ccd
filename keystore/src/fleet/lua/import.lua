-- Stores a client circuit's verification key unless Redis has a key. ARGV[1]: the
-- circuit, ARGV[2]: BLAKE3, ARGV[3]: the bytes. Returns the stored key's BLAKE3.
local client = P .. 'client:' .. ARGV[1]
local here = redis.call('GETRANGE', client, 0, 64)
if here ~= '' and here ~= ARGV[2] then return here end
redis.call('SET', P .. 'vk:' .. ARGV[2], ARGV[3])
redis.call('SET', client, ARGV[2])
return ARGV[2]
