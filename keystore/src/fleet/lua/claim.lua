-- Takes the lock. ARGV[2]: process, ARGV[3]: lease in ms, ARGV[4]: this call's name.
-- Returns the lock's fence; false if the lock is held or there is a manifest.
if redis.call('HGET', LOCK, 'call') == ARGV[4] then
  -- The first answer to this call was lost, and the process repeated the call.
  return redis.call('HGET', LOCK, 'fence')
end
if redis.call('EXISTS', MANIFEST, LOCK) > 0 then return false end
local fence = next_fence()
hold(fence, ARGV[2], string.format('%.0f', now_ms()), '0', ARGV[3])
redis.call('HSET', LOCK, 'call', ARGV[4])
return fence
