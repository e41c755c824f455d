-- Applies one part of a chunk to one shard in one step: see DESIGN.md section 6.
--
-- KEYS[1] is the shard's lanes hash; every other key is named by ARGV.
-- ARGV: lane, expected entry, next entry, then for each hash:
--   number of its key in KEYS, number of its ranking's key (0: none), articles ranked, seconds to live (0: for ever),
--   n, and n times article, views to add.
-- Answers {'STORED', entry} or {'STORED'} if the lane's entry is not the one expected, and nothing was written; else
-- {'APPLIED', number of the hash among those given, article, …} with the articles that were set aside.
--
-- Redis does not undo what a script wrote before it failed: so everything is read and checked before the first write.
local COUNT_MAX = 9007199254740992 -- 2^53: what a double, and so a sorted set, holds exactly

local entry = redis.call('HGET', KEYS[1], ARGV[1])
if entry ~= ARGV[2] then
  if entry then return {'STORED', entry} end
  return {'STORED'}
end

-- Whether `old` (false if absent) is a count that `add` may be added to; then also the sum.
local function plus(old, add)
  local value = 0
  if old then value = tonumber(old) end
  -- Not `value + add > COUNT_MAX`: that sum would be rounded.
  if not value or value < 0 or value % 1 ~= 0 or value > COUNT_MAX - add then return nil end
  return value + add
end

local answer = {'APPLIED'}
local hashes = {}
local at = 4
while at <= #ARGV do
  local number = #hashes + 1
  local ranking = tonumber(ARGV[at + 1])
  local hash = {
    key = KEYS[tonumber(ARGV[at])],
    ranking = ranking > 0 and KEYS[ranking] or nil,
    ranked_max = tonumber(ARGV[at + 2]),
    seconds = tonumber(ARGV[at + 3]),
    articles = {},
    totals = {},
    fields = {},
  }
  local n = tonumber(ARGV[at + 4])
  at = at + 5

  local names = {}
  for i = 1, n do names[i] = ARGV[at + 2 * i - 2] end
  names[n + 1] = '' -- the shard's sum of this hash
  local kind = redis.call('TYPE', hash.key).ok
  local ranking_kind = hash.ranking and redis.call('TYPE', hash.ranking).ok or 'none'
  local usable = (kind == 'hash' or kind == 'none') and (ranking_kind == 'zset' or ranking_kind == 'none')
  local old = {}
  if usable and kind == 'hash' then old = redis.call('HMGET', hash.key, unpack(names)) end

  local added = 0
  for i = 1, n do
    local add = tonumber(ARGV[at + 2 * i - 1])
    local total = usable and plus(old[i], add)
    if total then
      local m = #hash.articles + 1
      hash.articles[m] = names[i]
      hash.totals[m] = total
      hash.fields[2 * m - 1] = names[i]
      hash.fields[2 * m] = total
      added = added + add
    else
      answer[#answer + 1] = tostring(number)
      answer[#answer + 1] = names[i]
    end
  end
  if #hash.articles > 0 then
    local sum = plus(old[n + 1], added)
    if sum then
      hash.fields[#hash.fields + 1] = ''
      hash.fields[#hash.fields + 1] = sum
    else
      answer[#answer + 1] = tostring(number)
      answer[#answer + 1] = ''
    end
  end
  hashes[number] = hash
  at = at + 2 * n
end

-- The bounded ranking: an article belongs into it if it comes before the last, by total falling and then by ID rising.
-- Those with the last one's total are entered too, and trimming decides: Redis orders equal scores by ID bytewise,
-- which Lua's own comparison does not.
local function rank(hash)
  local ranked = redis.call('ZCARD', hash.ranking)
  local worst = nil
  if ranked >= hash.ranked_max then
    worst = tonumber(redis.call('ZRANGE', hash.ranking, hash.ranked_max - 1, hash.ranked_max - 1, 'WITHSCORES')[2])
  end
  local entries = {}
  for i = 1, #hash.articles do
    local score = -hash.totals[i]
    if not worst or score <= worst then
      entries[#entries + 1] = score
      entries[#entries + 1] = hash.articles[i]
    end
  end
  if #entries == 0 then return end
  redis.call('ZADD', hash.ranking, unpack(entries))
  if ranked + #entries / 2 > hash.ranked_max then
    redis.call('ZREMRANGEBYRANK', hash.ranking, hash.ranked_max, -1)
  end
end

for _, hash in ipairs(hashes) do
  if #hash.articles > 0 then
    redis.call('HSET', hash.key, unpack(hash.fields))
    if hash.ranking then rank(hash) end
    if hash.seconds > 0 then
      redis.call('EXPIRE', hash.key, hash.seconds)
      if hash.ranking then redis.call('EXPIRE', hash.ranking, hash.seconds) end
    end
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return answer
