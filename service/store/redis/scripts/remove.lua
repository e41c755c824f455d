-- Forgets lanes in one shard and adds their totals to those of all retired lanes, in one step.
--
-- KEYS[1] is the shard's lanes hash, KEYS[2] its totals. ARGV: the lanes.
-- Answers {'REMOVED'}, or {'CORRUPT', key} if the totals are no numbers, and nothing was written.
local KINDS = {'views', 'set_aside', 'adjusted', 'lost'}

local function fields_of(lane)
  local fields = {}
  for i, kind in ipairs(KINDS) do fields[i] = lane .. ':' .. kind end
  return fields
end

-- The totals of a lane; nil if they are no numbers, or of more than 18 digits and so near to what HINCRBY can add.
local function totals_of(lane)
  local totals = redis.pcall('HMGET', KEYS[2], unpack(fields_of(lane)))
  if totals.err then return nil end
  for i = 1, #KINDS do
    if totals[i] and not (string.match(totals[i], '^%-?%d+$') and #totals[i] <= 18) then return nil end
  end
  return totals
end

local totals = {}
for i, lane in ipairs(ARGV) do
  totals[i] = totals_of(lane)
  if not totals[i] then return {'CORRUPT', KEYS[2]} end
end
if not totals_of('retired') then return {'CORRUPT', KEYS[2]} end

for i, lane in ipairs(ARGV) do
  redis.call('HDEL', KEYS[1], lane)
  for k, kind in ipairs(KINDS) do
    if totals[i][k] then redis.call('HINCRBY', KEYS[2], 'retired:' .. kind, totals[i][k]) end
  end
  redis.call('HDEL', KEYS[2], unpack(fields_of(lane)))
end
return {'REMOVED'}
