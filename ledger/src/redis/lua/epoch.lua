-- The epoch of the ledger's data, which changes when Redis has lost the data. A: a new
-- epoch for data without one. Returns {epoch, 1 if the epoch is new}.
local epoch = call('GET', P .. 'epoch')
if epoch then
  sweep(now_ms())
  return { epoch, 0 }
end
call('SET', P .. 'epoch', A[1])
event('epoch', 'epoch', A[1])
return { A[1], 1 }
