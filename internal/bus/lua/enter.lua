-- ARGV: node, how long keys are kept, channel, user, info (or ''), limit; returns
-- nothing if the channel is full, else whether he is new, and user and info of all.
if not held() then return false end
local channel, user, info, limit = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local had = number(members(channel), user)
if had == 0 and limit > 0 and redis.call('HLEN', members(channel)) >= limit then
  return {}
end
redis.call('HSET', members(channel), user, had + 1)
if had == 0 and info ~= '' then
  redis.call('HSET', infos(channel), user, info)
end
redis.call('HINCRBY', inside(me), place(channel, user), 1)
for _, key in ipairs({members(channel), infos(channel), inside(me)}) do
  redis.call('PEXPIRE', key, ARGV[2])
end
local all = {}
for _, one in ipairs(redis.call('HKEYS', members(channel))) do
  all[#all + 1] = one
  all[#all + 1] = redis.call('HGET', infos(channel), one) or ''
end
return {had == 0 and 1 or 0, all}
