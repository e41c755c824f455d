-- Replaces a field of a hash if it holds the expected text. So one of several instances succeeds.
--
-- KEYS[1] is the hash. ARGV: field, expected text (empty: the field is absent), new text. Answers {'SWAPPED'}, or
-- {'OTHER', stored text} if the field holds something else.
--
-- The only write is one command, which cannot fail half way.
local stored = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if stored ~= ARGV[2] then return {'OTHER', stored} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return {'SWAPPED'}
