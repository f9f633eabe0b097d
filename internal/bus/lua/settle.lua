-- ARGV: node, then channels; returns those of them that are vacated.
local vacated = {}
for i = 2, #ARGV do
  if redis.call('HDEL', emptied, ARGV[i]) == 1 then
    vacated[#vacated + 1] = ARGV[i]
  end
end
return vacated
