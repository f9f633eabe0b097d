-- ARGV: node, then channels; returns the connections in each.
local counts = {}
for i = 2, #ARGV do
  counts[#counts + 1] = number(seats, ARGV[i])
end
return counts
