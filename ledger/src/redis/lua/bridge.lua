-- A bridge's heartbeat. A: verb, bridge, ttl in ms, fence.
-- join returns a new fence; beat and leave return 1, or 0 when the bridge has
-- another fence or no heartbeat.
local verb, bridge = A[1], A[2]
local key = P .. 'b:' .. bridge
if verb == 'join' then
  local fence = next_fence()
  call('SET', key, fence, 'PX', A[3])
  event('joined-fleet', 'bridge', bridge)
  return fence
end
if call('GET', key) ~= A[4] then return 0 end
if verb == 'beat' then
  call('PEXPIRE', key, A[3])
  return 1
end
call('DEL', key)
event('left-fleet', 'bridge', bridge)
return 1
