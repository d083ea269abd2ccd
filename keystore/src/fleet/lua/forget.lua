-- Takes a circuit's manifest back, if it is that of the key ARGV[2]. 1: done, 0:
-- it is another's, or there is none.
local manifest = redis.call('GET', MANIFEST)
if not manifest or string.match(manifest, '"key":"(%x+)"') ~= ARGV[2] then return 0 end
redis.call('DEL', MANIFEST)
return 1
