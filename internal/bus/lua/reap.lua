-- ARGV: node, how long keys are kept, whether to take those that are late; returns nothing, or the channels
-- that were emptied and a list of channel, user and info (or '') of who is gone.
local dead
for _, node in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', ARGV[3] == '1' and now() or 0, 'LIMIT', 0, 2)) do
  if node ~= me then dead = node break end
end
if not dead then return false end
redis.call('ZREM', nodes, dead)

local empty, gone = {}, {}
local sat = redis.call('HGETALL', sits(dead))
for i = 1, #sat, 2 do
  local channel = sat[i]
  if redis.call('HINCRBY', seats, channel, -sat[i + 1]) <= 0 then
    redis.call('HDEL', seats, channel)
    redis.call('HSET', emptied, channel, dead)
  end
end
-- What the dead node had been told of and has not settled is passed on, too.
local owed = redis.call('HGETALL', emptied)
for i = 1, #owed, 2 do
  if owed[i + 1] == dead then
    redis.call('HSET', emptied, owed[i], me)
    empty[#empty + 1] = owed[i]
  end
end
local were = redis.call('HGETALL', inside(dead))
for i = 1, #were, 2 do
  local channel, user = placed(were[i])
  if redis.call('HINCRBY', members(channel), user, -were[i + 1]) <= 0 then
    gone[#gone + 1] = channel
    gone[#gone + 1] = user
    gone[#gone + 1] = redis.call('HGET', infos(channel), user) or ''
    redis.call('HDEL', members(channel), user)
    redis.call('HDEL', infos(channel), user)
  end
end
redis.call('DEL', sits(dead), inside(dead))
redis.call('PEXPIRE', emptied, ARGV[2])
return {empty, gone}
