-- Renews the lock. ARGV[2]: process, ARGV[3]: lease in ms, ARGV[4]: fence, ARGV[5]:
-- fraction. Returns 1; 0 if a later fence or a manifest exists.
-- A lock that expired, or that Redis lost, is taken again unless another process
-- has taken it: the generation goes on.
if redis.call('EXISTS', MANIFEST) == 1 or outdated(ARGV[4]) then return 0 end
local since = redis.call('HGET', LOCK, 'since') or string.format('%.0f', now_ms())
hold(ARGV[4], ARGV[2], since, ARGV[5], ARGV[3])
return 1
