-- ARGV: node, length of the lease, how long keys are kept
if not held() then return false end
redis.call('ZADD', nodes, now() + ARGV[2], me)
for _, key in ipairs({nodes, seats, emptied, sits(me), inside(me)}) do
  redis.call('PEXPIRE', key, ARGV[3])
end
return 1
