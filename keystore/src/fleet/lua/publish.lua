-- Makes a key the fleet's, unless there is one. ARGV[2]: manifest, ARGV[3]: BLAKE3
-- of its verification key, ARGV[4]: these bytes, ARGV[5]: the fence of who made
-- it, or '' for one that was held before.
-- 1: done, 0: there is one already, -1: somebody has begun later.
if ARGV[5] ~= '' and outdated(ARGV[5]) then return -1 end
release(ARGV[5])
if redis.call('EXISTS', MANIFEST) == 1 then return 0 end
redis.call('SET', P .. 'vk:' .. ARGV[3], ARGV[4])
redis.call('SET', MANIFEST, ARGV[2])
return 1
