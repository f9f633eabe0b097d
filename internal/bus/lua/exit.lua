-- ARGV: node, channel, user; returns whether he has no connection any more.
if not held() then return false end
local channel, user = ARGV[2], ARGV[3]
local here = number(inside(me), place(channel, user))
if here == 0 then return 0 end
if here == 1 then
  redis.call('HDEL', inside(me), place(channel, user))
else
  redis.call('HINCRBY', inside(me), place(channel, user), -1)
end
if redis.call('HINCRBY', members(channel), user, -1) > 0 then return 0 end
redis.call('HDEL', members(channel), user)
redis.call('HDEL', infos(channel), user)
return 1
