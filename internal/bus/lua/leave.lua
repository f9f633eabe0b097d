-- ARGV: node
redis.call('ZADD', nodes, 'XX', 0, me)
return 1
