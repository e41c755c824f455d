-- Stores a lane's new incarnation in one shard and answers with the lane's progress there.
--
-- KEYS[1] is the shard's lanes hash, KEYS[2] its totals hash. ARGV: lane, its new incarnation, its earlier
-- incarnations.
--
-- Answers:
--   {'TORN'}: the shard holds a half-written part that restore.lua must undo first.
--   {'CLAIMED', cursor, 1 if the lane was known else 0, views, set aside, adjusted, lost}: a total of 0 may be false.
--   {'FENCED', incarnation, cursor}: an incarnation that is not in ARGV has the lane.
--   {'CORRUPT', entry}: the lane's entry is not one that viewcount writes.
--
-- The only write is one command, which cannot fail half way.
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
