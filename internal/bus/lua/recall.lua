-- ARGV: node, channel; returns nothing, or the message and how long it is kept.
local message = redis.call('GET', base .. ':last:' .. ARGV[2])
if not message then return {} end
return {message, redis.call('PTTL', base .. ':last:' .. ARGV[2])}
