// Changes the store's scripts so that a test can let any one call to Redis fail. The scripts also report a key that
// vanishes.
#pragma once

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/redis_process.h"

namespace viewcount {

// Through this Lua code a script communicates with the test. It uses a hash in Redis that no production script knows.
inline constexpr std::string_view kFailingCallsLua = R"lua(
local real_redis = redis
local calls_made, calls_fail_at = 0, tonumber(real_redis.call('HGET', 'failing_calls', 'fail_at') or '0')
local calls_torn_at, calls_tear_after = nil, tonumber(real_redis.call('HGET', 'failing_calls', 'tear_after') or '0')
local keys_seen, key_vanished = {}, nil
local function call_at(site, kind, ...)
  calls_made = calls_made + 1
  real_redis.call('HSET', 'failing_calls', 'made', calls_made, 'script', SCRIPT_NAME)
  if key_vanished then real_redis.call('HSET', 'failing_calls', 'vanished', SCRIPT_NAME .. ' ' .. key_vanished) end
  local command, _, _, entry = ...
  if command == 'HSET' and type(entry) == 'string' and string.sub(entry, 1, 5) == 'TORN ' then calls_torn_at = calls_made end
  local tears = calls_tear_after > 0 and calls_torn_at and calls_made == calls_torn_at + calls_tear_after
  if tears then real_redis.call('HDEL', 'failing_calls', 'tear_after') end
  if tears or calls_made == calls_fail_at then
    real_redis.call('HSET', 'failing_calls', 'failed', site)
    local refusal = {err = 'ERR refused by the test'}
    if kind == 'call' then error(refusal) end
    return refusal
  end
  local reply = real_redis[kind](...)
  for _, key in ipairs(KEYS) do
    local exists = real_redis.call('EXISTS', key) == 1
    if keys_seen[key] and not exists then key_vanished = key end
    keys_seen[key] = exists
  end
  return reply
end
)lua";

// Edits scripts and controls their failures. Not thread-safe.
class FailingCalls {
 public:
  // Implements RedisStore::Options::edit_script. Gives a name to every place in the text that calls Redis.
  std::string Edit(std::string_view name, const std::string& text) {
    std::string edited = fmt::format("local SCRIPT_NAME = '{}'\n{}", name, kFailingCallsLua);
    size_t at = 0;
    while (true) {
      const size_t call = text.find("redis.", at);
      if (call == std::string::npos) break;
      const std::string_view rest = std::string_view(text).substr(call);
      const std::string_view kind = rest.starts_with("redis.call(")    ? "call"
                                    : rest.starts_with("redis.pcall(") ? "pcall"
                                                                       : "";
      if (kind.empty()) {
        edited += text.substr(at, call + 6 - at);
        at = call + 6;
        continue;
      }
      // Scripts share files, so a place is identified by its line and the line before.
      const size_t line = text.rfind('\n', call);
      const size_t before = line == 0 || line == std::string::npos ? 0 : text.rfind('\n', line - 1) + 1;
      const std::string words = text.substr(call, text.find('\n', call) - call);
      const std::string context = text.substr(before, call - before) + words;
      const std::string site = std::to_string(sites_.emplace(context, sites_.size() + 1).first->second);
      const size_t arguments = call + 7 + kind.size();
      places_[site] = fmt::format("{}: {}", name, words);
      edited += text.substr(at, call - at) + fmt::format("call_at('{}', '{}', ", site, kind);
      at = arguments;
    }
    return edited + text.substr(at);
  }

  // From now on the call with number `call` of every script fails. With 0 no call fails.
  void FailAt(RedisProcess& redis, int call) {
    redis.Command({"HSET", "failing_calls", "fail_at", std::to_string(call), "made", "0"});
    redis.Command({"HDEL", "failing_calls", "failed", "vanished"});
  }
  // Makes one call fail in the next script that may be torn. It is the `call`th call after the script's first write.
  static void TearNext(RedisProcess& redis, size_t call) {
    redis.Command({"HSET", "failing_calls", "tear_after", std::to_string(call)});
  }
  // Returns true if a call has failed since. Its place is then in failed().
  bool Failed(RedisProcess& redis) {
    const std::string site = redis.Command({"HGET", "failing_calls", "failed"});
    if (site == "(nil)") return false;
    failed_.insert(site);
    return true;
  }
  // Returns a key that vanished before the last call of a script, or an empty string if none did.
  static std::string Vanished(RedisProcess& redis) {
    const std::string key = redis.Command({"HGET", "failing_calls", "vanished"});
    return key == "(nil)" ? "" : key;
  }

  // Return the text of every call by its name, and the names of the calls that have failed.
  const std::map<std::string, std::string>& places() const { return places_; }
  const std::set<std::string>& failed() const { return failed_; }

 private:
  std::map<std::string, size_t> sites_;
  std::map<std::string, std::string> places_;
  std::set<std::string> failed_;
};

}  // namespace viewcount
