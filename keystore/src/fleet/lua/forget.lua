-- Deletes a circuit's manifest if it names the key ARGV[2]. Returns 1: deleted,
-- 0: the manifest names another key, or there is no manifest.
local manifest = redis.call('GET', MANIFEST)
if not manifest or string.match(manifest, '"key":"(%x+)"') ~= ARGV[2] then return 0 end
redis.call('DEL', MANIFEST)
return 1
