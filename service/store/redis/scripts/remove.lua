-- Deletes one lane from one shard and adds its totals to those of all retired lanes, in one atomic step.
--
-- KEYS[1] is the shard's lanes hash, KEYS[2] its totals hash. ARGV: the lane.
--
-- Answers:
--   {'TORN'}: the shard holds a half-written part that restore.lua must undo first; nothing was written.
--   {'CORRUPT', key}: the totals are not numbers; nothing was written.
--   {'REMOVED'}
local LANE = ARGV[1]
local KINDS = {'views', 'set_aside', 'adjusted', 'lost'}
local EXACT_MAX = 9007199254740992 -- 2^53: up to there Lua's numbers are exact

local stored = redis.call('HMGET', KEYS[1], LANE, 'undo')
if stored[2] and stored[2] ~= '' then return {'TORN'} end
local entry = stored[1]

local function fields_of(owner)
  local fields = {}
  for i, kind in ipairs(KINDS) do fields[i] = owner .. ':' .. kind end
  return fields
end

-- Returns the totals of a lane; nil if they are not numbers, or have more than 18 digits and so may overflow HINCRBY.
local function totals_of(owner)
  local totals = redis.pcall('HMGET', KEYS[2], unpack(fields_of(owner)))
  if totals.err then
    if not string.find(totals.err, 'WRONGTYPE', 1, true) then error(totals) end
    return nil
  end
  for i = 1, #KINDS do
    if totals[i] and not (string.match(totals[i], '^%-?%d+$') and #totals[i] <= 18) then return nil end
  end
  return totals
end

-- Written as a value, not as an increment, for the reason that apply.lua gives.
local function add_total(field, old, add)
  local a, b = tonumber(old or '0'), tonumber(add)
  if math.abs(a) < EXACT_MAX and math.abs(b) < EXACT_MAX and math.abs(a + b) < EXACT_MAX then
    redis.call('HSET', KEYS[2], field, string.format('%d', a + b))
  else
    redis.call('HINCRBY', KEYS[2], field, add)
  end
end

local own, retired = totals_of(LANE), totals_of('retired')
if not own or not retired then return {'CORRUPT', KEYS[2]} end
require_command('HDEL', KEYS[1])
require_command('HSET', KEYS[2])
require_command('HINCRBY', KEYS[2])
require_command('HDEL', KEYS[2])

local own_fields, retired_fields = fields_of(LANE), fields_of('retired')
local before, counted = {}, false
for i = 1, #KINDS do
  before[#before + 1] = own_fields[i]
  before[#before + 1] = own[i]
  before[#before + 1] = retired_fields[i]
  before[#before + 1] = retired[i]
  counted = counted or own[i]
end
if counted then
  redis.call('HSET', KEYS[1], LANE, 'TORN ' .. (entry or ''), 'undo', cmsgpack.pack({1, LANE, entry, before, {}, {}}))
  for i = 1, #KINDS do
    if own[i] then add_total(retired_fields[i], retired[i], own[i]) end
  end
  redis.call('HDEL', KEYS[2], unpack(own_fields))
end
-- Both fields are removed in one command. It is the last one, because the hash may vanish with it.
redis.call('HDEL', KEYS[1], LANE, 'undo')
return {'REMOVED'}
