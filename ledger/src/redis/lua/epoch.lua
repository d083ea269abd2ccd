-- Whose life this is. A: a new epoch for data that has none, lifetime of
-- leases that nobody asks about. Gives {epoch, 1 if it is new}.
local epoch = call('GET', P .. 'epoch')
if epoch then
  local now = now_ms()
  call('ZREMRANGEBYSCORE', P .. 'bridges', '-inf', now)
  call('ZREMRANGEBYSCORE', P .. 'leases', '-inf', now)
  sweep(now)
  return { epoch, 0 }
end
call('SET', P .. 'epoch', A[1])
event('epoch', 'epoch', A[1])
return { A[1], 1 }
