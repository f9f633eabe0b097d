-- ARGV: node, channel; returns user and info (or '') by turns.
local all = {}
for _, one in ipairs(redis.call('HKEYS', members(ARGV[2]))) do
  all[#all + 1] = one
  all[#all + 1] = redis.call('HGET', infos(ARGV[2]), one) or ''
end
return all
