-- Keeps the lock. ARGV[2]: who, ARGV[3]: lease in ms, ARGV[4]: fence, ARGV[5]:
-- fraction. 0: somebody has begun later, or the key is there.
-- A lock that ended, or was lost with all data, is taken again as long as nobody
-- else took it: the work goes on.
if redis.call('EXISTS', MANIFEST) == 1 or outdated(ARGV[4]) then return 0 end
local since = redis.call('HGET', LOCK, 'since') or string.format('%.0f', now_ms())
hold(ARGV[4], ARGV[2], since, ARGV[5], ARGV[3])
return 1
