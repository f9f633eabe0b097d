-- ARGV: node, prefix; returns channel and connections by turns.
local all, some = redis.call('HGETALL', seats), {}
for i = 1, #all, 2 do
  if string.sub(all[i], 1, #ARGV[2]) == ARGV[2] then
    some[#some + 1] = all[i]
    some[#some + 1] = all[i + 1]
  end
end
return some
