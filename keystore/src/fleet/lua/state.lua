-- What is known of a circuit: manifest or false, whether its verification key
-- is there, holder or false. ARGV[2]: the longest manifest.
-- GETRANGE bounds the answer; one byte more shows that it was too long.
local manifest = redis.call('GETRANGE', MANIFEST, 0, ARGV[2])
if manifest == '' then return { false, 0, holder() } end
local vk = string.match(manifest, '"vk":"(%x+)"')
return { manifest, vk and redis.call('EXISTS', P .. 'vk:' .. vk) or 0, false }
