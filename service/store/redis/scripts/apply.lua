-- Applies one part of a chunk to one shard in one step: see DESIGN.md section 6 and KEYS.md.
--
-- KEYS[1] is the shard's lanes hash, KEYS[2] its totals; every other key is named by ARGV.
-- ARGV: lane, expected entry, next entry, views of all time in this part, views given up, number of notes, then
--   for each note: number of its key in KEYS, field, text;
--   for each hash, adjustments behind views: its number in the answer, number of its key in KEYS, number of its
--     ranking's key (0: none), articles ranked, seconds to live (0: for ever), window (all, d, h or bots), 1 for an
--     adjustment else 0, n, and n times article, views to add.
-- Answers {'STORED', entry} or {'STORED'} if the lane's entry is not the one expected, {'CORRUPT', key} if the totals
-- cannot be counted in, and nothing was written; else {'APPLIED', number of the hash, article, …} with what was set
-- aside; notes have number 0 and their field.
--
-- Redis does not undo what a script wrote before it failed: so everything is read and checked before the first write.
local COUNT_MAX = 9007199254740992 -- 2^53: what a double, and so a sorted set, holds exactly
local BATCH = 1000 -- articles at a time when a whole hash is read; unpack takes some thousand values
local KEYS, ARGV, tonumber = KEYS, ARGV, tonumber
local LANE = ARGV[1]

local entry = redis.call('HGET', KEYS[1], LANE)
if entry ~= ARGV[2] then
  if entry then return {'STORED', entry} end
  return {'STORED'}
end

local answer = {'APPLIED'}
local planned = {} -- by key, what this part has put into that hash so far

-- Fields of the totals and what to add to them, in turn; as texts, since they are exact where Lua's numbers are not.
local changes = {}
local function change(field, text)
  changes[#changes + 1] = field
  changes[#changes + 1] = text
end

local function negative(text)
  if string.sub(text, 1, 1) == '-' then return string.sub(text, 2) end
  return '-' .. text
end

-- `SITE:WINDOW` of a hash's key, behind `vc:{nn}:`.
local function name_of(key) return string.sub(key, 9) end

-- Keeps `apart:SITE` at the difference between the sums of `all` and of the days.
local function set_apart(hash, text)
  local site = string.match(name_of(hash.key), '^[^:]*')
  if hash.window == 'all' then change('apart:' .. site, text) end
  if hash.window == 'd' then change('apart:' .. site, negative(text)) end
end

local function set_aside(hash, article, text)
  answer[#answer + 1] = hash.number
  answer[#answer + 1] = article
  if hash.adjusts then return end
  if hash.window == 'all' or hash.window == 'bots' then change(LANE .. ':set_aside', text) end
  set_apart(hash, negative(text))
end

local function note_adjustment(hash, article, text)
  if hash.window == 'all' or hash.window == 'bots' then change(LANE .. ':adjusted', text) end
  if article == '' then change('start:' .. name_of(hash.key), text) end
  set_apart(hash, text)
end

-- The sum of `old` (false or nil if absent) and `add`; nil if `old` or the sum is no count. Counts may be below 0: see
-- KEYS.md.
local function plus(old, add)
  local value = 0
  if old then value = tonumber(old) end
  if not value or value % 1 ~= 0 or value > COUNT_MAX or value < -COUNT_MAX then return nil end
  -- Not `value + add > COUNT_MAX`: that sum would be rounded.
  if add >= 0 and value > COUNT_MAX - add or add < 0 and value < -COUNT_MAX - add then return nil end
  return value + add
end

-- What the hash holds for `names`, or nil if it or its ranking is of another type.
local function old_values(hash, names)
  local kind = redis.call('TYPE', hash.key).ok
  local ranking_kind = hash.ranking and redis.call('TYPE', hash.ranking).ok or 'none'
  if kind ~= 'hash' and kind ~= 'none' or ranking_kind ~= 'zset' and ranking_kind ~= 'none' then return nil end
  local old = {}
  if kind == 'hash' then old = redis.call('HMGET', hash.key, unpack(names)) end
  local earlier = planned[hash.key]
  if earlier then
    local totals = {[''] = earlier.sum}
    for i, article in ipairs(earlier.articles) do totals[article] = earlier.totals[i] end
    for i, name in ipairs(names) do old[i] = totals[name] or old[i] end
  end
  return old
end

-- Both work out what the hash will hold; articles and views are in ARGV from `at`. False if it cannot hold the sum.
local function plan_views(hash, names, old, at)
  local articles, totals, fields, refused = hash.articles, hash.totals, hash.fields, hash.refused
  local m, added = 0, 0
  for i = 1, #names - 1 do
    local add = tonumber(ARGV[at + 2 * i - 1])
    local total = plus(old[i], add)
    if total then
      m = m + 1
      articles[m] = names[i]
      totals[m] = total
      fields[2 * m - 1] = names[i]
      fields[2 * m] = total
      if total <= 0 then hash.repays = true end
      if added > COUNT_MAX - add then return false end
      added = added + add
    else
      refused[i] = true
    end
  end
  if m == 0 then return true end
  hash.sum = plus(old[#names], added)
  fields[2 * m + 1] = ''
  fields[2 * m + 2] = hash.sum
  return hash.sum ~= nil
end

local function plan_adjustment(hash, names, old, at)
  hash.removed, hash.adds = {}, {}
  -- Zeros are not kept: an article lowered to 0 leaves the hash, and a hash without articles goes.
  local function put(field, value)
    local list = value == 0 and hash.removed or hash.fields
    list[#list + 1] = field
    if value ~= 0 then list[#list + 1] = value end
  end
  local added = 0
  for i = 1, #names - 1 do
    local add = tonumber(ARGV[at + 2 * i - 1])
    local total = names[i] ~= '' and plus(old[i], add)
    if total then
      local m = #hash.articles + 1
      hash.articles[m] = names[i]
      hash.totals[m] = total
      hash.adds[m] = add
      put(names[i], total)
    end
    if total == nil then
      hash.refused[i] = true
    else
      if added > COUNT_MAX - math.max(add, 0) or added < -COUNT_MAX - math.min(add, 0) then return false end
      added = added + add
    end
  end
  hash.sum = plus(old[#names], added)
  if hash.sum then put('', hash.sum) end
  return hash.sum ~= nil
end

local function prepare(hash, at, n)
  local names = {}
  for i = 1, n do names[i] = ARGV[at + 2 * i - 2] end
  names[n + 1] = '' -- the shard's sum of this hash
  local old = old_values(hash, names)
  local plan = hash.adjusts and plan_adjustment or plan_views
  hash.usable = old and plan(hash, names, old, at)
  if hash.usable then planned[hash.key] = hash end
  if hash.usable and not hash.adjusts and not next(hash.refused) then return end
  for i = 1, n do
    if not hash.usable or hash.refused[i] then
      set_aside(hash, names[i], ARGV[at + 2 * i - 1])
    elseif hash.adjusts then
      note_adjustment(hash, names[i], ARGV[at + 2 * i - 1])
    end
  end
end

-- How many articles are ranked, and the last one's score if there is no more room.
local function last_place(hash)
  local ranked = redis.call('ZCARD', hash.ranking)
  if ranked < hash.ranked_max then return ranked, nil end
  local last = redis.call('ZRANGE', hash.ranking, hash.ranked_max - 1, hash.ranked_max - 1, 'WITHSCORES')
  return ranked, tonumber(last[2])
end

-- The bounded ranking: an article belongs into it if it comes before the last, by total falling and then by ID rising.
-- Those with the last one's total are entered too, and trimming decides: Redis orders equal scores by ID bytewise,
-- which Lua's own comparison does not.
local function enter(hash, articles, totals, ranked, worst)
  local entries = {}
  for i = 1, #articles do
    local score = -totals[i]
    if score ~= 0 and (not worst or score <= worst) then
      entries[#entries + 1] = score
      entries[#entries + 1] = articles[i]
    end
  end
  if #entries == 0 then return end
  redis.call('ZADD', hash.ranking, unpack(entries))
  if ranked + #entries / 2 > hash.ranked_max then
    redis.call('ZREMRANGEBYRANK', hash.ranking, hash.ranked_max, -1)
  end
end

local function rebuild(hash)
  redis.call('DEL', hash.ranking)
  local cursor = '0'
  repeat
    local reply = redis.call('HSCAN', hash.key, cursor, 'COUNT', BATCH)
    cursor = reply[1]
    local words = reply[2]
    for from = 1, #words, 2 * BATCH do
      local articles, totals = {}, {}
      for i = from, math.min(from + 2 * BATCH - 1, #words), 2 do
        local total = plus(words[i + 1], 0)
        if total and words[i] ~= '' then
          articles[#articles + 1] = words[i]
          totals[#totals + 1] = total
        end
      end
      enter(hash, articles, totals, last_place(hash))
    end
  until cursor == '0'
end

-- After an adjustment. `before`: how many articles the hash had. If all of them were ranked, all are known; else one
-- that was ranked may make room for an article that only the hash knows, unless it still comes before the last and has
-- not left the hash.
local function rank_adjusted(hash, before)
  local ranked, worst = last_place(hash)
  if before > ranked then
    for i, article in ipairs(hash.articles) do
      local lowered = hash.adds[i] < 0 and (not worst or -hash.totals[i] >= worst)
      if (lowered or hash.totals[i] == 0) and redis.call('ZSCORE', hash.ranking, article) then
        return rebuild(hash)
      end
    end
  else
    worst = nil
    for i, article in ipairs(hash.articles) do
      if hash.totals[i] == 0 then redis.call('ZREM', hash.ranking, article) end
    end
  end
  enter(hash, hash.articles, hash.totals, ranked, worst)
end

local function articles_in(hash) return redis.call('HLEN', hash.key) - redis.call('HEXISTS', hash.key, '') end

local function write_adjustment(hash)
  local before = articles_in(hash)
  if #hash.fields > 0 then redis.call('HSET', hash.key, unpack(hash.fields)) end
  if #hash.removed > 0 then redis.call('HDEL', hash.key, unpack(hash.removed)) end
  if hash.ranking then rank_adjusted(hash, before) end
end

-- Zeros are not kept, and what was ranked below 0 must not stay there. Returns whether that made room in the ranking.
local function remove_zeros(hash)
  local made_room = false
  for i, article in ipairs(hash.articles) do
    if hash.totals[i] == 0 then
      redis.call('HDEL', hash.key, article)
      if hash.ranking and redis.call('ZREM', hash.ranking, article) == 1 then made_room = true end
    end
  end
  if hash.sum == 0 then redis.call('HDEL', hash.key, '') end
  return made_room
end

local function write_views(hash)
  redis.call('HSET', hash.key, unpack(hash.fields))
  local made_room = (hash.repays or hash.sum == 0) and remove_zeros(hash)
  if not hash.ranking then return end
  local ranked, worst = last_place(hash)
  -- An article that only the hash knows may come in.
  if made_room and articles_in(hash) > ranked then return rebuild(hash) end
  enter(hash, hash.articles, hash.totals, ranked, worst)
end

local function write(hash)
  if hash.adjusts then
    write_adjustment(hash)
  elseif #hash.articles > 0 then
    write_views(hash)
  end
  if hash.seconds > 0 then
    redis.call('EXPIRE', hash.key, hash.seconds)
    if hash.ranking then redis.call('EXPIRE', hash.ranking, hash.seconds) end
  end
end

-- What the totals hold for the fields of `changes`; nil if something there is no number.
local function old_totals()
  local fields, seen = {}, {}
  for i = 1, #changes, 2 do
    if not seen[changes[i]] then fields[#fields + 1] = changes[i] end
    seen[changes[i]] = true
  end
  if #fields == 0 then return {} end
  local old = redis.pcall('HMGET', KEYS[2], unpack(fields))
  if old.err then return nil end
  local values = {}
  for i, field in ipairs(fields) do
    -- Of 18 digits at most, so that it is far from 2^63.
    if old[i] and not (string.match(old[i], '^%-?%d+$') and #old[i] <= 18) then return nil end
    values[field] = tonumber(old[i] or '0')
  end
  return values
end

if ARGV[4] ~= '0' then change(LANE .. ':views', ARGV[4]) end
if ARGV[5] ~= '0' then change(LANE .. ':lost', ARGV[5]) end
local at = 7
local notes = {}
for i = 1, tonumber(ARGV[6]) do
  local key = KEYS[tonumber(ARGV[at])]
  local kind = redis.call('TYPE', key).ok
  if kind == 'hash' or kind == 'none' then
    notes[#notes + 1] = {key, ARGV[at + 1], ARGV[at + 2]}
  else
    answer[#answer + 1] = '0'
    answer[#answer + 1] = ARGV[at + 1]
  end
  at = at + 3
end

local hashes = {}
while at <= #ARGV do
  local ranking = tonumber(ARGV[at + 2])
  local hash = {
    number = ARGV[at],
    key = KEYS[tonumber(ARGV[at + 1])],
    ranking = ranking > 0 and KEYS[ranking] or nil,
    ranked_max = tonumber(ARGV[at + 3]),
    seconds = tonumber(ARGV[at + 4]),
    window = ARGV[at + 5],
    adjusts = ARGV[at + 6] == '1',
    articles = {},
    totals = {},
    fields = {},
    refused = {},
  }
  local n = tonumber(ARGV[at + 7])
  prepare(hash, at + 8, n)
  hashes[#hashes + 1] = hash
  at = at + 8 + 2 * n
end
local totals = old_totals()
if not totals then return {'CORRUPT', KEYS[2]} end

-- As values, like the counts, and not as increments: a Redis that reads a command of its append-only file twice, from an
-- overlap of two parts of it, must come to the same. Beyond 2^53, where a value would be rounded, that is given up.
local function is_exact(value) return value > -COUNT_MAX and value < COUNT_MAX end
for i = 1, #changes, 2 do
  local field, add = changes[i], tonumber(changes[i + 1])
  local old = totals[field]
  if old and is_exact(old) and is_exact(add) and is_exact(old + add) then
    redis.call('HSET', KEYS[2], field, string.format('%.0f', old + add))
    totals[field] = old + add
  else
    redis.call('HINCRBY', KEYS[2], field, changes[i + 1])
    totals[field] = nil -- only Redis knows it exactly now
  end
end
for _, hash in ipairs(hashes) do
  if hash.usable then write(hash) end
end
for _, note in ipairs(notes) do redis.call('HSET', note[1], note[2], note[3]) end
redis.call('HSET', KEYS[1], LANE, ARGV[3])
return answer
