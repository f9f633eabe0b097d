-- ARGV: node, length of the lease, how long keys are kept
redis.call('ZADD', nodes, now() + ARGV[2], me)
redis.call('PEXPIRE', nodes, ARGV[3])
return 1
