-- Every script begins with this. KEYS[1] is what all keys begin with, in braces,
-- so that they would lie together in a cluster of servers; ARGV[1] is the node.
--
--   nodes             sorted set: node, when its lease ends (0: it has left)
--   seats             hash: channel, connections of all nodes in it
--   emptied           hash: channel that is occupied though nobody sits in it, and
--                     the node that was told so, and has to settle it
--   sits:<node>       hash: channel, connections of the node in it
--   members:<channel> hash: user, his connections on all nodes
--   infos:<channel>   hash: user, his info if he has one
--   inside:<node>     hash: channel and user, his connections on the node
--   last:<channel>    a message
--
-- All expire some time after the last node has stopped renewing.
local base, me = KEYS[1], ARGV[1]
local nodes, seats, emptied = base .. ':nodes', base .. ':seats', base .. ':emptied'
local function sits(node) return base .. ':sits:' .. node end
local function inside(node) return base .. ':inside:' .. node end
local function members(channel) return base .. ':members:' .. channel end
local function infos(channel) return base .. ':infos:' .. channel end
local function place(channel, user) return #channel .. ':' .. channel .. user end
local function placed(field)
  local digits = string.match(field, '^%d+')
  local first = #digits + 2
  local after = first + tonumber(digits)
  return string.sub(field, first, after - 1), string.sub(field, after)
end
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function number(key, field) return tonumber(redis.call('HGET', key, field) or 0) end
local function held() return redis.call('ZSCORE', nodes, me) end
