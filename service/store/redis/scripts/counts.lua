-- Counts: whole numbers from −2^53 to 2^53, which Redis holds as decimal texts and a script as Lua's doubles. They may be
-- below 0: see KEYS.md.
--
-- This is the beginning of the apply script; ranking.lua and apply.lua follow.
local COUNT_MAX = 9007199254740992 -- 2^53: what a double, and so a sorted set, holds exactly
local tonumber, format = tonumber, string.format

-- To read or write a number takes longer than to look it up, and most numbers of a part are small and come often. Larger
-- ones are not kept: to enter each of them would take longer than it spares.
local KEPT_MAX = 4096
local values = {} -- by text
local texts = {} -- by value

-- Nil if it is no count.
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

-- The sum of `old` (false or nil if absent) and `add`; nil if `old` or the sum is no count.
local function plus(old, add)
  local value = 0
  if old then value = count_of(old) end
  if not value then return nil end
  -- Not `value + add > COUNT_MAX`: that sum would be rounded.
  if add >= 0 and value > COUNT_MAX - add or add < 0 and value < -COUNT_MAX - add then return nil end
  return value + add
end

