-- Asks Redis, before the first write of a script, whether the user may run a command that may follow. Redis does not
-- undo the writes of a script that fails. So a script must know of a refused command before it writes anything.
--
-- A script need not ask for a command that it has already run on the key before the first write. Nor need it ask for
-- the command that writes first. tests/unit/store/script_text_test.cc checks that the scripts follow these rules.
local pcall = pcall
local acl_check_cmd = redis.acl_check_cmd

-- Ends the script with an error if Redis refuses the command on the key. redis.acl_check_cmd (Redis 7.0) raises an
-- error for a command that Redis does not know by this name, so it is called through pcall.
local function require_command(command, key)
  local known, allowed = pcall(acl_check_cmd, command, key)
  if known and allowed then return end
  error({err = 'NOPERM Redis refuses ' .. command .. ' on ' .. key .. ' (ACL or rename-command); nothing was written'})
end

