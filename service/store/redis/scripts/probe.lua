-- Runs commands on scratch keys, to know which of them Redis refuses. None of the keys is left behind.
--
-- KEYS are the scratch keys: a hash, a sorted set, a HyperLogLog. ARGV: for each command the number of its words, and these.
-- Answers {'PROBED'}, and for each command that the user may not run or that Redis does not know: its number from 1, and
-- the error. Other errors (memory, a replica) say nothing about permissions.
local answer = {'PROBED'}

local function is_about_permission(text)
  return string.find(text, "can't run this command", 1, true) or string.find(text, "can't access at least one", 1, true) or
    string.find(text, 'no permissions', 1, true) or string.find(text, 'nknown Redis command', 1, true)
end

-- What Redis would say, without the command being run.
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
  -- Without EXPIRE nothing of what the user needs removes a HyperLogLog.
  local run = expires and redis.pcall or (name == 'PFADD' and ask or redis.pcall)
  local reply = run(unpack(ARGV, at + 1, at + words))
  at = at + 1 + words
  if type(reply) == 'table' and reply.err and is_about_permission(reply.err) then
    if name == 'EXPIRE' then expires = false end
    answer[#answer + 1] = tostring(number)
    answer[#answer + 1] = reply.err
  end
end
-- A time to live that is over removes a key; so does the end of its last field or member.
redis.pcall('HDEL', KEYS[1], '')
redis.pcall('ZREM', KEYS[2], '')
for _, key in ipairs(KEYS) do redis.pcall('EXPIRE', key, 0) end
return answer
