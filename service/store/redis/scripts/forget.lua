-- Removes the counts of one day of a site from one shard, because the site does not keep that day any more. The totals
-- change so that an audit finds no difference: `apart:SITE` grows by the day's sum, since the sum of `all` stays.
--
-- KEYS[1] is the shard's lanes hash, KEYS[2] its totals hash, KEYS[3] the day's hash of counts. The keys after it go
-- with the day. ARGV: the field `apart:SITE`, the field `gone:SITE:WINDOW`, then fields of the totals to remove.
--
-- The field `gone:SITE:WINDOW` exists until the hash is removed. It holds the part of the day's sum that is in
-- `apart:SITE` already. So the script may fail half way and is then repeated, and needs no undo log (see KEYS.md).
--
-- Answers:
--   {'TORN'}: the shard holds a half-written part that restore.lua must undo first; nothing was written.
--   {'UNUSABLE', key}: the key holds no number where one is needed; nothing was written.
--   {'REMOVED'}
local undo = redis.call('HGET', KEYS[1], 'undo')
if undo and undo ~= '' then return {'TORN'} end

local kind = redis.call('TYPE', KEYS[3]).ok
if kind ~= 'hash' and kind ~= 'none' then return {'UNUSABLE', KEYS[3]} end
local sum = redis.call('HGET', KEYS[3], '')
local before = redis.call('HMGET', KEYS[2], ARGV[1], ARGV[2])
-- A sum that is no number counts as 0 in the audit, too.
local removed = count_of(sum or '0') or 0
local gone = count_of(before[2] or '0')
-- A run before this one has removed the hash.
if kind == 'none' then removed = gone end
local apart = gone and plus(before[1], removed - gone)
if not apart then return {'UNUSABLE', KEYS[2]} end

require_command('HSET', KEYS[2])
require_command('HDEL', KEYS[2])
for i = 3, #KEYS do require_command('EXPIRE', KEYS[i]) end
if removed ~= gone then redis.call('HSET', KEYS[2], ARGV[1], format('%d', apart), ARGV[2], format('%d', removed)) end
-- A key that expires at once vanishes. So no other right is needed than for the keys of hours.
redis.call('EXPIRE', KEYS[3], 0)
-- From here on, views that are written to the day again are those of another hash.
redis.call('HDEL', KEYS[2], ARGV[2])
for i = 4, #KEYS do redis.call('EXPIRE', KEYS[i], 0) end
redis.call('HDEL', KEYS[2], unpack(ARGV, 3))
return {'REMOVED'}
