-- Adds viewers to sets: see KEYS.md. Adding twice changes nothing, so it may be repeated and may end half way.
--
-- KEYS are the sets. ARGV: for each of them seconds to live (0: for ever), number of viewers, and these.
-- Answers the keys that hold something else and were left alone. One call for many sets, because a command for each would
-- cost its sender more than the adding.
local answer = {}
local at = 1
-- A set that never expires because EXPIRE is refused would stay for ever.
for _, key in ipairs(KEYS) do require_command('EXPIRE', key) end
for _, key in ipairs(KEYS) do
  local seconds, count = ARGV[at], tonumber(ARGV[at + 1])
  local added = redis.pcall('PFADD', key, unpack(ARGV, at + 2, at + 1 + count))
  at = at + 2 + count
  if type(added) == 'table' and added.err then
    if not string.find(added.err, 'WRONGTYPE', 1, true) then return added end
    answer[#answer + 1] = key
  elseif seconds ~= '0' then
    redis.call('EXPIRE', key, seconds)
  end
end
return answer
