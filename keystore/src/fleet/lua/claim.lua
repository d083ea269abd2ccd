-- Takes the lock. ARGV[2]: who, ARGV[3]: lease in ms, ARGV[4]: a name of this call.
-- Its fence; false when somebody has it or there is a manifest already.
if redis.call('HGET', LOCK, 'call') == ARGV[4] then
  -- The answer was lost, and the call came again.
  return redis.call('HGET', LOCK, 'fence')
end
if redis.call('EXISTS', MANIFEST, LOCK) > 0 then return false end
local fence = next_fence()
hold(fence, ARGV[2], string.format('%.0f', now_ms()), '0', ARGV[3])
redis.call('HSET', LOCK, 'call', ARGV[4])
return fence
