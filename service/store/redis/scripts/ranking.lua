-- Bounded rankings: the articles of a hash with the highest totals, by total descending, then by ID ascending. Redis
-- orders equal scores by the bytes of the ID; Lua's own comparison of strings does not.
--
-- A ranking never vanishes inside a script. While a slot moves in Redis Cluster, the next command on a key that has
-- vanished ends the script. So articles are entered before others are removed, and before any removal the ranking gets
-- the empty member. LAST_SCORE ranks that member after every article; there it means "no article".
local SCANNED = 1000 -- articles per step when a whole hash is read; unpack takes some thousand values
local LAST_SCORE = 2 * COUNT_MAX -- beyond the score of the lowest possible count, which is COUNT_MAX
local ENTERED = 64 -- articles per ZADD: later ones are compared with the last place that it leaves

local function precedes(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- Returns total and article of the last place; nothing if the ranking is not full.
local function last_place(hash)
  local last = redis.call('ZRANGE', hash.ranking, hash.ranked_max - 1, hash.ranked_max - 1, 'WITHSCORES')
  if last[1] then return -tonumber(last[2]), last[1] end
end

-- Enters `entries`, which alternate scores and articles, trims the ranking, and returns the last place.
local function add(hash, entries)
  redis.call('ZADD', hash.ranking, unpack(entries))
  redis.call('ZREMRANGEBYRANK', hash.ranking, hash.ranked_max, -1)
  return last_place(hash)
end

-- Enters the articles whose totals were raised by views. Articles are in order of their bytes. So once an article with
-- the last place's total does not precede the last place, no later article with that total does. A total may be false:
-- that article did not change. `lowest` and `last` are the results of last_place.
local function enter(hash, articles, totals, lowest, last)
  local entries, n = {}, 0
  for i = 1, #totals do
    local total = totals[i]
    if total and total ~= 0 and (not lowest or total >= lowest) then
      if total == lowest and last and not precedes(articles[i], last) then last = nil end
      if total ~= lowest or last then
        entries[n + 1] = texts[-total] or text_of(-total)
        entries[n + 2] = articles[i]
        n = n + 2
      end
      if n == 2 * ENTERED then
        lowest, last = add(hash, entries)
        entries, n = {}, 0
      end
    end
  end
  if n > 0 then add(hash, entries) end
end

local function require_rebuild(key, ranking)
  require_command('HSCAN', key)
  require_command('ZADD', ranking)
  require_command('ZRANGE', ranking)
  require_command('ZREM', ranking)
  require_command('ZREMRANGEBYRANK', ranking)
end

-- Builds the ranking again from its hash. First all ranked articles get the lowest score. Those that the hash does not
-- hold are removed at the end.
local function rebuild(hash)
  redis.call('ZREMRANGEBYRANK', hash.ranking, hash.ranked_max, -1)
  local members = redis.call('ZRANGE', hash.ranking, 0, -1)
  local unseen = {}
  local moved = {LAST_SCORE, ''}
  for _, member in ipairs(members) do
    if member ~= '' then
      unseen[member] = true
      moved[#moved + 1] = LAST_SCORE
      moved[#moved + 1] = member
    end
  end
  if #moved > 2 then redis.call('ZADD', hash.ranking, unpack(moved)) end
  local lowest = nil
  local cursor = '0'
  repeat
    local reply = redis.call('HSCAN', hash.key, cursor, 'COUNT', SCANNED)
    cursor = reply[1]
    local words = reply[2]
    for from = 1, #words, 2 * SCANNED do
      local entries = {}
      for i = from, math.min(from + 2 * SCANNED - 1, #words), 2 do
        local total = plus(words[i + 1], 0)
        if total and total ~= 0 and words[i] ~= '' then
          unseen[words[i]] = nil
          -- The scan has no order. Among articles with the last place's total, trimming keeps the right ones.
          if not lowest or total >= lowest then
            entries[#entries + 1] = -total
            entries[#entries + 1] = words[i]
          end
        end
      end
      if #entries > 0 then lowest = add(hash, entries) end
    end
  until cursor == '0'
  local removed = {}
  for member in pairs(unseen) do removed[#removed + 1] = member end
  if #removed > 0 then redis.call('ZREM', hash.ranking, unpack(removed)) end
end

local function articles_in(hash) return redis.call('HLEN', hash.key) - redis.call('HEXISTS', hash.key, '') end

-- The empty member is not an article.
local function articles_ranked(hash)
  local members = redis.call('ZCARD', hash.ranking)
  return redis.call('ZSCORE', hash.ranking, '') and members - 1 or members
end

-- Updates the ranking after an adjustment. `before` is the number of articles that the hash had. If all of them were
-- ranked, the ranking can be updated from what it knows. Otherwise a ranked article that was lowered may have to make
-- room for an article that only the hash knows. It need not if it is still above the last place and has not left the
-- hash.
local function rank_adjusted(hash, before)
  local all_known = before <= articles_ranked(hash)
  local lowest = last_place(hash)
  local entries, removed = {}, {}
  for i, article in ipairs(hash.articles) do
    local total = hash.totals[i]
    local lowered = hash.changes[i] < 0 and (not lowest or total <= lowest)
    if not all_known and (lowered or total == 0) and redis.call('ZSCORE', hash.ranking, article) then
      return rebuild(hash)
    end
    if total ~= 0 then
      entries[#entries + 1] = -total
      entries[#entries + 1] = article
    elseif all_known then
      removed[#removed + 1] = article
    end
  end
  if #removed > 0 then
    entries[#entries + 1] = LAST_SCORE
    entries[#entries + 1] = ''
    for _, article in ipairs(removed) do
      entries[#entries + 1] = LAST_SCORE
      entries[#entries + 1] = article
    end
  end
  -- All articles are entered in one command, including those below the last place. A ranked article may fall, and
  -- trimming before that would remove the wrong article.
  if #entries > 0 then add(hash, entries) end
  if #removed > 0 then redis.call('ZREM', hash.ranking, unpack(removed)) end
end

