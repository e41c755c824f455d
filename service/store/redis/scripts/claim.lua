-- Enters a lane's new incarnation into one shard and answers where the lane stands there.
--
-- KEYS[1] is the shard's lanes hash, KEYS[2] its totals. ARGV: lane, its new incarnation, then its earlier incarnations.
-- Answers {'TORN'} if the shard holds half a part that restore.lua must undo first, {'CLAIMED', cursor, 1 if the lane was
-- known else 0, views, set aside, adjusted, lost} (false for 0), {'FENCED', incarnation, cursor} if someone unknown has the
-- lane, or {'CORRUPT', entry}. Its only write is one command, which cannot end half way.
local lane = ARGV[1]
local stored = redis.call('HMGET', KEYS[1], lane, 'undo')
if stored[2] and stored[2] ~= '' then return {'TORN'} end
local entry = stored[1]
local totals = redis.call('HMGET', KEYS[2], lane .. ':views', lane .. ':set_aside', lane .. ':adjusted', lane .. ':lost')

local function claimed(cursor, known)
  redis.call('HSET', KEYS[1], lane, ARGV[2] .. ' ' .. cursor)
  return {'CLAIMED', cursor, known, unpack(totals)}
end

if not entry then return claimed('END 0', 0) end
local incarnation, cursor = string.match(entry, '^(%x+) (.+)$')
if not incarnation then return {'CORRUPT', entry} end
for i = 2, #ARGV do
  if ARGV[i] == incarnation then return claimed(cursor, 1) end
end
return {'FENCED', incarnation, cursor}
