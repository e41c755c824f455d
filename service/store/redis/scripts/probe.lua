-- Runs commands on scratch keys, to find out which of them Redis refuses. None of the keys remains afterwards.
--
-- KEYS are the scratch keys: a hash, a sorted set, a HyperLogLog. ARGV: for each command the number of its words, then
-- the words. Answers {'PROBED'}, followed by two elements for each command that the user may not run or that Redis does
-- not know. These are the command's number, from 1, and the error. Other errors (memory, a replica) say nothing about
-- permissions.
local answer = {'PROBED'}

local function is_about_permission(text)
  return string.find(text, "can't run this command", 1, true) or string.find(text, "can't access at least one", 1, true) or
    string.find(text, 'no permissions', 1, true) or string.find(text, 'nknown Redis command', 1, true)
end

-- Returns the error that Redis would report for the command, without running it.
local function ask(...)
  local known, allowed = pcall(redis.acl_check_cmd, ...)
  if not known then return {err = 'Unknown Redis command'} end
  if not allowed then return {err = "can't run this command"} end
end

local at, number = 1, 0
local expires = true
while at <= #ARGV do
  local words = tonumber(ARGV[at])
  number = number + 1
  local name = ARGV[at + 1]
  -- If EXPIRE is refused, no command that the user needs could remove a HyperLogLog. So none is created then.
  local run = expires and redis.pcall or (name == 'PFADD' and ask or redis.pcall)
  local reply = run(unpack(ARGV, at + 1, at + words))
  at = at + 1 + words
  if type(reply) == 'table' and reply.err and is_about_permission(reply.err) then
    if name == 'EXPIRE' then expires = false end
    answer[#answer + 1] = tostring(number)
    answer[#answer + 1] = reply.err
  end
end
-- An expired time to live removes a key. So does the removal of its last field or member.
redis.pcall('HDEL', KEYS[1], '')
redis.pcall('ZREM', KEYS[2], '')
for _, key in ipairs(KEYS) do redis.pcall('EXPIRE', key, 0) end
return answer
