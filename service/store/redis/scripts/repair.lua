-- Corrects the totals of one shard where an audit found differences, without changing a count; or rebuilds one ranking.
--
-- KEYS[1] is the shard's lanes hash, KEYS[2] its totals hash. If KEYS[3] and KEYS[4] are given, the script rebuilds the
-- ranking KEYS[4] of the hash KEYS[3] with ARGV[1] articles, and counts that as an adjustment. Otherwise ARGV alternates fields of the totals and the
-- numbers to add to them.
--
-- Answers:
--   {'TORN'}: the shard holds a half-written part that restore.lua must undo first; nothing was written.
--   {'UNUSABLE', field}: the field holds no number, or the result would pass 2^53; nothing was written.
--   {'REPAIRED'}
local undo = redis.call('HGET', KEYS[1], 'undo')
if undo and undo ~= '' then return {'TORN'} end

if KEYS[3] then
  require_rebuild(KEYS[3], KEYS[4])
  require_command('HINCRBY', KEYS[2])
  rebuild({key = KEYS[3], ranking = KEYS[4], ranked_max = tonumber(ARGV[1])})
  -- Readers that remember the ranking read it again, as after an adjustment.
  redis.call('HINCRBY', KEYS[2], 'adjusted_parts', 1)
  return {'REPAIRED'}
end

local words = {}
for i = 1, #ARGV, 2 do
  local total = plus(redis.call('HGET', KEYS[2], ARGV[i]), tonumber(ARGV[i + 1]))
  if not total then return {'UNUSABLE', ARGV[i]} end
  words[i] = ARGV[i]
  words[i + 1] = format('%d', total)
end
-- All fields are written by one command, which is carried out completely or not at all.
redis.call('HSET', KEYS[2], unpack(words))
return {'REPAIRED'}
