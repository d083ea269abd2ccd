-- Makes a key the fleet's key if there is none. ARGV[2]: manifest, ARGV[3]: BLAKE3
-- of the verification key, ARGV[4]: the verification key, ARGV[5]: the fence under
-- which the key was made, or '' for an older key of the machine.
-- Returns 1: done, 0: the fleet has a key already, -1: a later fence exists.
if ARGV[5] ~= '' and outdated(ARGV[5]) then return -1 end
release(ARGV[5])
if redis.call('EXISTS', MANIFEST) == 1 then return 0 end
redis.call('SET', P .. 'vk:' .. ARGV[3], ARGV[4])
redis.call('SET', MANIFEST, ARGV[2])
return 1
