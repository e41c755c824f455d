-- Functions for counts: whole numbers from −2^53 to 2^53. Redis stores them as decimal texts, a script as Lua's
-- doubles. They may be below 0: see KEYS.md.
--
-- Scripts that use counts begin with this file. ranking.lua follows it, then the script itself.
local COUNT_MAX = 9007199254740992 -- 2^53: up to there a double, and so a sorted set's score, is exact
local tonumber, format = tonumber, string.format

-- Caches of converted numbers. Converting a number takes longer than looking it up, and most numbers of a part are small
-- and occur often. Larger numbers are not cached: entering each of them would cost more than it saves.
local KEPT_MAX = 4096
local values = {} -- by text
local texts = {} -- by value

-- Returns the count that `text` holds; nil if it is not a count.
local function count_of(text)
  local value = tonumber(text)
  if not value or value % 1 ~= 0 or value > COUNT_MAX or value < -COUNT_MAX then return nil end
  if value <= KEPT_MAX and value >= -KEPT_MAX then values[text] = value end
  return value
end

local function text_of(value)
  local text = format('%d', value)
  if value <= KEPT_MAX and value >= -KEPT_MAX then texts[value] = text end
  return text
end

-- Returns the sum of `old` (false or nil if absent) and `add`; nil if `old` or the sum is not a count.
local function plus(old, add)
  local value = 0
  if old then value = count_of(old) end
  if not value then return nil end
  -- The condition is not `value + add > COUNT_MAX`, because that sum would be rounded.
  if add >= 0 and value > COUNT_MAX - add or add < 0 and value < -COUNT_MAX - add then return nil end
  return value + add
end

