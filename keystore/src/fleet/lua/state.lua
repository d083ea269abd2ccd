-- Returns a circuit's manifest or false, whether Redis has its verification key
-- (1 or 0), and the lock's holder or false. ARGV[2]: the length limit of manifests.
-- GETRANGE bounds the answer; one byte more shows that a manifest is too long.
local manifest = redis.call('GETRANGE', MANIFEST, 0, ARGV[2])
if manifest == '' then return { false, 0, holder() } end
local vk = string.match(manifest, '"vk":"(%x+)"')
return { manifest, vk and redis.call('EXISTS', P .. 'vk:' .. vk) or 0, false }
