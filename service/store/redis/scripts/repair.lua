-- Books differences that an audit found in one shard, without changing a count; or makes one ranking again.
--
-- KEYS[1] is the shard's lanes hash, KEYS[2] its totals; with KEYS[3] and KEYS[4] it makes the ranking KEYS[4] of the hash
-- KEYS[3] again, of ARGV[1] articles. Without them ARGV are fields of the totals, and what to add to each.
-- Answers {'TORN'} if the shard holds half a part that restore.lua must undo first, {'UNUSABLE', field} if the totals
-- hold no number there, or one that would pass 2^53, and nothing was written; else {'REPAIRED'}.
local undo = redis.call('HGET', KEYS[1], 'undo')
if undo and undo ~= '' then return {'TORN'} end

if KEYS[3] then
  require_rebuild(KEYS[3], KEYS[4])
  rebuild({key = KEYS[3], ranking = KEYS[4], ranked_max = tonumber(ARGV[1])})
  return {'REPAIRED'}
end

local words = {}
for i = 1, #ARGV, 2 do
  local total = plus(redis.call('HGET', KEYS[2], ARGV[i]), tonumber(ARGV[i + 1]))
  if not total then return {'UNUSABLE', ARGV[i]} end
  words[i] = ARGV[i]
  words[i + 1] = format('%d', total)
end
-- All at once: one command is done whole or not at all.
redis.call('HSET', KEYS[2], unpack(words))
return {'REPAIRED'}
