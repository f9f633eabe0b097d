-- ARGV: node, channel, message, how long
redis.call('SET', base .. ':last:' .. ARGV[2], ARGV[3], 'PX', ARGV[4])
return 1
