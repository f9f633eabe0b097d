-- ARGV: node, how long keys are kept, then channel and connections by turns;
-- returns which are occupied and which emptied.
if not held() then return false end
local occupied, empty = {}, {}
for i = 3, #ARGV, 2 do
  local channel, n = ARGV[i], tonumber(ARGV[i + 1])
  local had = number(sits(me), channel)
  local before = number(seats, channel)
  local total = before + n - had
  if n == 0 then redis.call('HDEL', sits(me), channel) else redis.call('HSET', sits(me), channel, n) end
  if total > 0 then
    redis.call('HSET', seats, channel, total)
    if redis.call('HDEL', emptied, channel) == 0 and before == 0 then
      occupied[#occupied + 1] = channel
    end
  else
    redis.call('HDEL', seats, channel)
    -- Said again, it is answered again: the first answer may have been lost.
    if had > 0 or redis.call('HEXISTS', emptied, channel) == 1 then
      redis.call('HSET', emptied, channel, me)
      empty[#empty + 1] = channel
    end
  end
end
for _, key in ipairs({seats, emptied, sits(me)}) do
  redis.call('PEXPIRE', key, ARGV[2])
end
return {occupied, empty}
