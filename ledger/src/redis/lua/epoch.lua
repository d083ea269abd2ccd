-- The epoch of these data: it changes when Redis lost them. A: a new epoch for
-- data that has none. Gives {epoch, 1 if it is new}.
local epoch = call('GET', P .. 'epoch')
if epoch then
  sweep(now_ms())
  return { epoch, 0 }
end
call('SET', P .. 'epoch', A[1])
event('epoch', 'epoch', A[1])
return { A[1], 1 }
