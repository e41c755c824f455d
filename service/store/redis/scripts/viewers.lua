-- Adds viewers to sets: see KEYS.md. Adding a viewer twice changes nothing. So the script may be repeated, and it may
-- fail half way.
--
-- KEYS are the sets. ARGV: for each set its seconds to live (0: never expires), the number of viewers, then the
-- viewers. Answers the keys that hold another type; these were left unchanged. One call adds to many sets, because a
-- command for each set would cost its sender more than the adding.
local answer = {}
local at = 1
-- If EXPIRE were refused after PFADD, the set would never expire.
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
