-- ARGV: node, how long keys are kept, where to go on; returns where to go on then.
-- Keeps what stands for each presence channel that somebody of the node is in.
local some = redis.call('HSCAN', inside(me), ARGV[3], 'COUNT', 200)
for i = 1, #some[2], 2 do
  local channel = placed(some[2][i])
  redis.call('PEXPIRE', members(channel), ARGV[2])
  redis.call('PEXPIRE', infos(channel), ARGV[2])
end
return some[1]
