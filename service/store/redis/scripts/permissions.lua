-- Asks Redis before the first write whether the user may run a command that may follow it. Redis does not undo a script
-- that fails half way, so a command that is refused must be known before anything was written.
--
-- A command that was run on the key before the first write need not be asked for, nor the one that writes first.
-- tests/unit/store/script_text_test.cc holds the scripts to this.
local pcall = pcall
local acl_check_cmd = redis.acl_check_cmd

-- Ends the script with an error if Redis refuses the command on the key. redis.acl_check_cmd (Redis 7.0) raises an error
-- for a command that Redis does not know under this name, so it is called by pcall.
local function require_command(command, key)
  local known, allowed = pcall(acl_check_cmd, command, key)
  if known and allowed then return end
  error({err = 'NOPERM Redis refuses ' .. command .. ' on ' .. key .. ' (ACL or rename-command); nothing was written'})
end

