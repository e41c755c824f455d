-- Reads which data set the store holds, and begins a new one if there is none.
--
-- KEYS[1] is vc:meta. ARGV: ID for a new data set, format version, number of shards. Answers {'FOUND' or 'BEGUN', data
-- set, format version, shards}.
local meta = redis.call('HMGET', KEYS[1], 'data_set', 'format', 'shards')
if meta[1] then return {'FOUND', meta[1], meta[2] or '', meta[3] or ''} end
redis.call('HSET', KEYS[1], 'data_set', ARGV[1], 'format', ARGV[2], 'shards', ARGV[3])
return {'BEGUN', ARGV[1], ARGV[2], ARGV[3]}
