-- Applies one part of a chunk to one shard in one atomic step: see docs/PROTOCOL.md, "Application of a chunk", and
-- KEYS.md.
--
-- KEYS[1] is the shard's lanes hash, KEYS[2] its totals hash. ARGV refers to every other key by its number in KEYS.
--
-- ARGV: lane, expected entry, next entry, views of all time in this part, views given up, number of notes, then
--   for each note: number of its key in KEYS, field, text;
--   lists, packed as MessagePack: an array of arrays. An array holds either articles or the numbers to add to them. An
--     array of articles ends with the empty field, which is the sum's. Articles of views are sorted by their bytes;
--   for each hash, adjustments after views: its number in the answer, number of its key in KEYS, number of its
--     ranking's key (0: none), articles ranked, seconds to live (0: never expires), window (all, d, h, bots or visits),
--     1 for an adjustment else 0, number of its list of articles, number of the list of what to add to them.
--
-- The lists are packed, because Redis and Lua handle each word of a command several times. Hashes share lists, because
-- the windows of one part mostly get the same articles and numbers.
--
-- Answers:
--   {'TORN'}: the shard holds a half-written part that restore.lua must undo first; nothing was written.
--   {'STORED', entry} or {'STORED'}: the lane's entry, or its absence, is not the one expected; nothing was written.
--   {'CORRUPT', key}: the totals hold values that cannot be added to; nothing was written.
--   {'APPLIED', number of the hash, article, …}: the part was applied, except for the articles listed here, which were
--     set aside. A note that was set aside has number 0 and its field instead of an article.
--
-- Redis does not undo the writes of a script that fails. So everything is read and checked before the first write. The
-- first write stores the old values (the undo log, see KEYS.md) and marks the lane's entry as torn, in one command. The
-- last write replaces both, in one command. If the script ends in between, the next script that finds the shard torn
-- reports it, and its caller runs restore.lua.
local KEYS, ARGV = KEYS, ARGV
local LANE = ARGV[1]
-- Redis stores a hash of up to 512 fields as a list, unless one of its texts is long. A part of 512 articles would
-- search that list for 20 ms and more. So a hash with more fields than LISTED_MAX is converted to a hash table: the
-- command that writes it first sets the sum to a long text, then replaces it. A short list takes less than half the
-- memory of a table.
local LISTED_MAX = 128
local SLICE = 1000 -- fields per command where there may be many
local LONG = string.rep('0', 100)

local stored = redis.call('HMGET', KEYS[1], LANE, 'undo')
if stored[2] and stored[2] ~= '' then return {'TORN'} end
local entry = stored[1]
if entry ~= ARGV[2] then
  if entry then return {'STORED', entry} end
  return {'STORED'}
end

local answer = {'APPLIED'}
local planned = {} -- by key: what this part has planned for that hash so far

-- Alternates fields of the totals and the numbers to add to them. The numbers are texts, which are exact where Lua's
-- numbers are not.
local changes = {}
local function change(field, text)
  changes[#changes + 1] = field
  changes[#changes + 1] = text
end

local function negative(text)
  if string.sub(text, 1, 1) == '-' then return string.sub(text, 2) end
  return '-' .. text
end

-- Returns the `SITE:WINDOW` that follows `vc:{nn}:` in a hash's key.
local function name_of(key) return string.sub(key, 9) end

-- Keeps `apart:SITE` at the difference between the sum of `all` and the sums of the days.
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

-- Raises the error again unless it says that the key holds another type. Called only before the first write.
local function require_wrong_type(reply)
  if not string.find(reply.err, 'WRONGTYPE', 1, true) then error(reply) end
end

-- Returns the hash's values for its names, including what this part has already planned for it. Returns nil if the hash
-- or its ranking holds another type. `hash.old` keeps the values that Redis holds, for the undo log.
local function old_values(hash)
  if hash.ranking then
    local kind = redis.call('TYPE', hash.ranking).ok
    if kind ~= 'zset' and kind ~= 'none' then return nil end
  end
  local old = redis.pcall('HMGET', hash.key, unpack(hash.names))
  if old.err then
    require_wrong_type(old)
    return nil
  end
  hash.old = old
  local earlier = planned[hash.key]
  if earlier then
    old = {unpack(old)}
    local totals = {[''] = earlier.sum}
    for i, total in ipairs(earlier.totals) do totals[earlier.articles[i]] = total end
    for i, name in ipairs(hash.names) do old[i] = totals[name] or old[i] end
  end
  return old
end

-- Both plan functions compute the values that the hash will hold. They return false if it cannot hold the sum.
local function plan_views(hash, old)
  local adds, totals = hash.adds, {}
  local planned_any, added = false, 0
  for i = 1, #adds do
    local text, add, value = old[i], adds[i], 0
    if text then value = values[text] or count_of(text) end
    if value and value <= COUNT_MAX - add then
      local total = value + add
      totals[i] = total
      planned_any = true
      if total <= 0 then hash.repays = true end
      if added > COUNT_MAX - add then return false end
      added = added + add
    else
      totals[i] = false
      hash.refused[i] = true
    end
  end
  hash.articles, hash.totals = hash.names, totals
  if not planned_any then return true end
  hash.sum = plus(old[#old], added)
  return hash.sum ~= nil
end

-- Returns whether Redis stores the hash, or would store it, as a list that it searches for every field.
local function is_list(hash, fields)
  if fields <= LISTED_MAX and redis.call('HLEN', hash.key) <= LISTED_MAX then return false end
  return redis.call('OBJECT', 'ENCODING', hash.key) ~= 'hashtable'
end

local function plan_adjustment(hash, old)
  hash.articles, hash.totals, hash.changes = {}, {}, {}
  local added = 0
  for i, add in ipairs(hash.adds) do
    local article = hash.names[i]
    local total = article ~= '' and plus(old[i], add)
    if total then
      local m = #hash.articles + 1
      hash.articles[m] = article
      hash.totals[m] = total
      hash.changes[m] = add
    end
    if total == nil then
      hash.refused[i] = true
    else
      if added > COUNT_MAX - math.max(add, 0) or added < -COUNT_MAX - math.min(add, 0) then return false end
      added = added + add
    end
  end
  hash.sum = plus(old[#hash.names], added)
  return hash.sum ~= nil
end

local function prepare(hash)
  local old = old_values(hash)
  local plan = hash.adjusts and plan_adjustment or plan_views
  hash.usable = old and plan(hash, old)
  if hash.usable then planned[hash.key] = hash end
  if hash.usable and hash.sum and not hash.adjusts then
    hash.lengthens = is_list(hash, #hash.totals)
    if hash.ranking then hash.lowest, hash.last = last_place(hash) end
  end
  if hash.usable and not hash.adjusts and not next(hash.refused) then return end
  for i, add in ipairs(hash.adds) do
    if not hash.usable or hash.refused[i] then
      set_aside(hash, hash.names[i], format('%d', add))
    elseif hash.adjusts then
      note_adjustment(hash, hash.names[i], format('%d', add))
    end
  end
end

local function write_adjustment(hash)
  local before = articles_in(hash)
  local fields, removed = {}, {}
  -- Zeros are not stored: an article that falls to 0 leaves the hash. The sum stays, so that the hash does not vanish.
  for i, article in ipairs(hash.articles) do
    if hash.totals[i] == 0 then
      removed[#removed + 1] = article
    else
      fields[#fields + 1] = article
      fields[#fields + 1] = format('%d', hash.totals[i])
    end
  end
  fields[#fields + 1] = ''
  fields[#fields + 1] = format('%d', hash.sum)
  redis.call('HSET', hash.key, unpack(fields))
  if #removed > 0 then redis.call('HDEL', hash.key, unpack(removed)) end
  if hash.ranking then rank_adjusted(hash, before) end
end

-- Removes articles whose total is 0 from the hash and its ranking: zeros are not stored. Without this, an article that
-- was ranked below 0 would stay ranked. Returns whether the removal made room in the ranking.
local function remove_zeros(hash)
  local zeros = {}
  for i, total in ipairs(hash.totals) do
    if total == 0 then zeros[#zeros + 1] = hash.articles[i] end
  end
  if #zeros == 0 then return false end
  redis.call('HDEL', hash.key, unpack(zeros))
  if not hash.ranking then return false end
  redis.call('ZADD', hash.ranking, LAST_SCORE, '')
  return redis.call('ZREM', hash.ranking, unpack(zeros)) > 0
end

local function write_views(hash)
  local articles, totals = hash.articles, hash.totals
  local fields, n = {}, 0
  if hash.lengthens then
    fields[1], fields[2], n = '', LONG, 2
  end
  for i = 1, #totals do
    local total = totals[i]
    if total then
      fields[n + 1] = articles[i]
      fields[n + 2] = texts[total] or text_of(total)
      n = n + 2
    end
  end
  fields[n + 1] = ''
  fields[n + 2] = text_of(hash.sum)
  redis.call('HSET', hash.key, unpack(fields))
  local made_room = hash.repays and remove_zeros(hash)
  if not hash.ranking then return end
  -- The room may belong to an article that only the hash knows.
  if made_room and articles_in(hash) > articles_ranked(hash) then return rebuild(hash) end
  local lowest, last = hash.lowest, hash.last
  if made_room then lowest, last = last_place(hash) end
  enter(hash, articles, totals, lowest, last)
end

local function write(hash)
  if hash.adjusts then
    write_adjustment(hash)
  elseif hash.sum then
    write_views(hash)
  end
  if hash.seconds > 0 then
    redis.call('EXPIRE', hash.key, hash.seconds)
    if hash.ranking then redis.call('EXPIRE', hash.ranking, hash.seconds) end
  end
end

-- Alternates fields of the totals and their old values, for the undo log.
local totals_before = {}

-- Returns the values that the totals hold for the fields of `changes`; nil if one of them is not a number.
local function old_totals()
  local fields, seen = {}, {}
  for i = 1, #changes, 2 do
    if not seen[changes[i]] then fields[#fields + 1] = changes[i] end
    seen[changes[i]] = true
  end
  local values = {}
  -- An import may have start values of thousands of windows. Lua passes some 8,000 arguments at most.
  for from = 1, #fields, SLICE do
    local to = math.min(from + SLICE - 1, #fields)
    local old = redis.pcall('HMGET', KEYS[2], unpack(fields, from, to))
    if old.err then
      require_wrong_type(old)
      return nil
    end
    for i = from, to do
      local field, value = fields[i], old[i - from + 1]
      totals_before[2 * i - 1] = field
      totals_before[2 * i] = value
      -- At most 18 digits are accepted, so that the value is far below 2^63.
      if value and not (string.match(value, '^%-?%d+$') and #value <= 18) then return nil end
      values[field] = tonumber(value or '0')
    end
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
    notes[#notes + 1] = {key, ARGV[at + 1], ARGV[at + 2], redis.call('HGET', key, ARGV[at + 1])}
  else
    answer[#answer + 1] = '0'
    answer[#answer + 1] = ARGV[at + 1]
  end
  at = at + 3
end

local packed_lists = ARGV[at]
local lists = cmsgpack.unpack(packed_lists)
local hashes = {}
for i = at + 1, #ARGV, 9 do
  local ranking = tonumber(ARGV[i + 2])
  local hash = {
    number = ARGV[i],
    key = KEYS[tonumber(ARGV[i + 1])],
    ranking = ranking > 0 and KEYS[ranking] or nil,
    ranked_max = tonumber(ARGV[i + 3]),
    seconds = tonumber(ARGV[i + 4]),
    window = ARGV[i + 5],
    adjusts = ARGV[i + 6] == '1',
    names = lists[tonumber(ARGV[i + 7])],
    names_number = tonumber(ARGV[i + 7]),
    adds = lists[tonumber(ARGV[i + 8])],
    refused = {},
  }
  prepare(hash)
  hashes[#hashes + 1] = hash
end
-- Views raise a hash's sum, so readers see from the sum whether a hash has changed. Adjustments may leave it as it is.
local adjusted = false
for _, hash in ipairs(hashes) do adjusted = adjusted or (hash.adjusts and hash.usable) end
if adjusted then change('adjusted_parts', '1') end
local totals = old_totals()
if not totals then return {'CORRUPT', KEYS[2]} end

-- Most parts only move the cursor. That takes one command, which cannot fail half way.
if #changes == 0 and #notes == 0 and #hashes == 0 then
  redis.call('HSET', KEYS[1], LANE, ARGV[3])
  return answer
end

-- Returns the log that restore.lua reads (see KEYS.md). The packed lists are appended unchanged.
local function undo_log()
  local before, restored = {}, {}
  for _, note in ipairs(notes) do before[#before + 1] = {note[1], note[2], note[4]} end
  for _, hash in ipairs(hashes) do
    if hash.usable then
      restored[#restored + 1] =
        {hash.key, hash.ranking or '', hash.ranked_max, hash.seconds, hash.names_number, hash.old}
    end
  end
  return cmsgpack.pack({1, LANE, entry, totals_before, before, restored}) .. packed_lists
end

local function require_permissions()
  require_command('HSET', KEYS[2])
  require_command('HINCRBY', KEYS[2])
  for _, note in ipairs(notes) do require_command('HSET', note[1]) end
  for _, hash in ipairs(hashes) do
    local key, ranking = hash.key, hash.ranking
    require_command('HSET', key)
    if hash.seconds > 0 then require_command('EXPIRE', key) end
    if ranking then
      require_command('ZADD', ranking)
      require_command('ZREMRANGEBYRANK', ranking)
      if hash.seconds > 0 then require_command('EXPIRE', ranking) end
    end
    if hash.adjusts or hash.repays then
      require_command('HDEL', key)
      require_command('HLEN', key)
      require_command('HEXISTS', key)
      if ranking then
        require_rebuild(key, ranking)
        require_command('ZCARD', ranking)
        require_command('ZSCORE', ranking)
      end
    end
  end
end

require_permissions()
redis.call('HSET', KEYS[1], LANE, 'TORN ' .. entry, 'undo', undo_log())

-- Totals, like counts, are written as values, not as increments. Redis may read a command of its append-only file
-- twice, where two parts of the file overlap, and the result must be the same. Beyond 2^53 a value would be rounded, so
-- an increment is used there.
local function is_exact(value) return value > -COUNT_MAX and value < COUNT_MAX end
for i = 1, #changes, 2 do
  local field, add = changes[i], tonumber(changes[i + 1])
  local old = totals[field]
  if old and is_exact(old) and is_exact(add) and is_exact(old + add) then
    redis.call('HSET', KEYS[2], field, format('%d', old + add))
    totals[field] = old + add
  else
    redis.call('HINCRBY', KEYS[2], field, changes[i + 1])
    totals[field] = nil -- from here on only Redis knows the exact value
  end
end
for _, hash in ipairs(hashes) do
  if hash.usable then write(hash) end
end
for _, note in ipairs(notes) do redis.call('HSET', note[1], note[2], note[3]) end
redis.call('HSET', KEYS[1], LANE, ARGV[3], 'undo', '')
return answer
