-- Enters a lane's new incarnation into one shard and answers where the lane stands there.
--
-- KEYS[1] is the shard's lanes hash. ARGV: lane, its new incarnation, then its earlier incarnations.
-- Answers {'CLAIMED', cursor}, {'FENCED', incarnation} if someone unknown has the lane, or {'CORRUPT', entry}.
local entry = redis.call('HGET', KEYS[1], ARGV[1])
if not entry then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' END 0')
  return {'CLAIMED', 'END 0'}
end
local incarnation, cursor = string.match(entry, '^(%x+) (.+)$')
if not incarnation then return {'CORRUPT', entry} end
for i = 2, #ARGV do
  if ARGV[i] == incarnation then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. cursor)
    return {'CLAIMED', cursor}
  end
end
return {'FENCED', incarnation}
