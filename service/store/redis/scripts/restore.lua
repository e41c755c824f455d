-- Undoes a part that was written only in part, because the script that applied it failed half way. The undo log
-- (KEYS.md) holds the old value of everything that the part may have changed. This script puts back every value and
-- rebuilds the rankings concerned. The log stays until the last command. So if this script fails half way, it is run
-- again.
--
-- KEYS[1] is the shard's lanes hash, KEYS[2] its totals hash; after them come all keys that the log names.
--
-- Answers:
--   {'WHOLE'}: there is nothing to undo.
--   {'KEYS', key, …}: the keys that the log names, because one of them is not in KEYS; nothing was written.
--   {'UNKNOWN'}: this script cannot read the log; nothing was written.
--   {'RESTORED', lane}: the part of this lane was undone.
local log = redis.call('HGET', KEYS[1], 'undo')
if not log or log == '' then return {'WHOLE'} end
local readable, undo, lists = pcall(cmsgpack.unpack, log)
if not readable or type(undo) ~= 'table' or undo[1] ~= 1 then return {'UNKNOWN'} end
local lane, entry, totals, notes, hashes = undo[2], undo[3], undo[4], undo[5], undo[6]

local declared = {}
for i = 3, #KEYS do declared[KEYS[i]] = true end
local named, complete = {'KEYS'}, true
local function name(key)
  if key == '' then return end
  named[#named + 1] = key
  if not declared[key] then complete = false end
end
for _, note in ipairs(notes) do name(note[1]) end
for _, hash in ipairs(hashes) do
  name(hash[1])
  name(hash[2])
end
if not complete then return named end

-- Keys may have expired, and another program may have replaced them by keys of another type.
local kinds = {}
for i = 2, #KEYS do kinds[KEYS[i]] = redis.call('TYPE', KEYS[i]).ok end

-- Puts back the old values of fields; false stands for a field that was absent. The field `kept` gets 0 instead of
-- being removed, so that the hash does not vanish.
local function put_back(key, fields, values, kept)
  local present, absent = {}, {}
  for i = 1, #fields do
    local value = values[i]
    if not value and fields[i] == kept then value = '0' end
    if value then
      present[#present + 1] = fields[i]
      present[#present + 1] = value
    else
      absent[#absent + 1] = fields[i]
    end
  end
  if #present > 0 then redis.call('HSET', key, unpack(present)) end
  if #absent > 0 then redis.call('HDEL', key, unpack(absent)) end
end

local function restore_hash(hash)
  local key, ranking, seconds = hash[1], hash[2], hash[4]
  if kinds[key] ~= 'hash' then return end
  put_back(key, lists[hash[5]], hash[6], '')
  if ranking ~= '' and (kinds[ranking] == 'zset' or kinds[ranking] == 'none') then
    rebuild({key = key, ranking = ranking, ranked_max = hash[3]})
  end
  if seconds == 0 then return end
  redis.call('EXPIRE', key, seconds)
  if ranking ~= '' then redis.call('EXPIRE', ranking, seconds) end
end

for _, key in ipairs({KEYS[1], KEYS[2]}) do
  require_command('HSET', key)
  require_command('HDEL', key)
end
for _, note in ipairs(notes) do
  require_command('HSET', note[1])
  require_command('HDEL', note[1])
end
for _, hash in ipairs(hashes) do
  require_command('HSET', hash[1])
  require_command('HDEL', hash[1])
  if hash[4] > 0 then require_command('EXPIRE', hash[1]) end
  if hash[2] ~= '' then
    require_rebuild(hash[1], hash[2])
    if hash[4] > 0 then require_command('EXPIRE', hash[2]) end
  end
end

if #totals > 0 and kinds[KEYS[2]] == 'hash' then
  local fields, values = {}, {}
  for i = 1, #totals, 2 do
    fields[#fields + 1] = totals[i]
    values[#values + 1] = totals[i + 1]
  end
  -- A total of 0 means the same as none, and keeps the hash from vanishing.
  put_back(KEYS[2], fields, values, fields[1])
end
for _, note in ipairs(notes) do
  -- The empty field is not a note. It keeps the hash from vanishing.
  if kinds[note[1]] == 'hash' then put_back(note[1], {'', note[2]}, {'', note[3]}) end
end
for _, hash in ipairs(hashes) do restore_hash(hash) end
if entry then
  redis.call('HSET', KEYS[1], lane, entry, 'undo', '')
else
  redis.call('HDEL', KEYS[1], lane, 'undo')
end
return {'RESTORED', lane}
