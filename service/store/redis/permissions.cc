#include "service/store/redis/permissions.h"

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include <charconv>
#include <set>
#include <span>
#include <vector>

#include "service/store/redis/probe_lua.h"
#include "service/store/redis/script.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

constexpr std::string_view kKeys = "~vc:*";
constexpr std::string_view kHash = "vc:{preflight}:hash";
constexpr std::string_view kRanking = "vc:{preflight}:ranking";
constexpr std::string_view kViewers = "vc:{preflight}:viewers";

// A rule of an ACL, and a command that Redis refuses without that rule.
struct Probe {
  std::string_view rule;
  std::vector<std::string_view> words;
};

// The order is such that each command finds its key in the state that it needs.
const std::vector<Probe>& ScriptProbes() {
  static const std::vector<Probe> probes = {
      {"+hset", {"HSET", kHash, "", "0"}},
      {"+hget", {"HGET", kHash, ""}},
      {"+hmget", {"HMGET", kHash, ""}},
      {"+hgetall", {"HGETALL", kHash}},
      {"+hkeys", {"HKEYS", kHash}},
      {"+hlen", {"HLEN", kHash}},
      {"+exists", {"EXISTS", kHash}},
      {"+hexists", {"HEXISTS", kHash, ""}},
      {"+hscan", {"HSCAN", kHash, "0"}},
      {"+hincrby", {"HINCRBY", kHash, "", "1"}},
      {"+hsetnx", {"HSETNX", kHash, "", "0"}},
      {"+hdel", {"HDEL", kHash, "absent"}},
      {"+object|encoding", {"OBJECT", "ENCODING", kHash}},
      {"+type", {"TYPE", kHash}},
      {"+pttl", {"PTTL", kHash}},
      {"+expire", {"EXPIRE", kHash, "60"}},
      {"+zadd", {"ZADD", kRanking, "0", ""}},
      {"+zrange", {"ZRANGE", kRanking, "0", "0", "WITHSCORES"}},
      {"+zscore", {"ZSCORE", kRanking, ""}},
      {"+zcard", {"ZCARD", kRanking}},
      {"+zremrangebyrank", {"ZREMRANGEBYRANK", kRanking, "1", "-1"}},
      {"+zrem", {"ZREM", kRanking, "absent"}},
      {"+pfadd", {"PFADD", kViewers, "viewer"}},
      {"+pfcount", {"PFCOUNT", kViewers}},
  };
  return probes;
}

// Commands that run only outside of scripts. MULTI and EXEC belong together.
const std::vector<Probe>& DirectProbes() {
  static const std::vector<Probe> probes = {
      {"+info", {"INFO", "server"}},
      {"+scan", {"SCAN", "0", "COUNT", "1"}},
      {"+multi", {"MULTI"}},
      {"+exec", {"EXEC"}},
  };
  return probes;
}

// Rights for commands that other steps of the preflight run. Those steps report what they need.
constexpr std::string_view kOtherRules[] = {"+eval", "+evalsha", "+bgrewriteaof", "+config|get", "+select"};

struct Refused {
  std::set<std::string> rules;
  std::set<std::string> unknown;

  void Add(std::string_view rule, std::string_view error) {
    if (error.find("nknown") != std::string_view::npos) {
      unknown.insert(std::string(rule.substr(1)));
    } else if (error.find("access") != std::string_view::npos) {
      rules.insert(std::string(kKeys));
    } else {
      rules.insert(std::string(rule));
    }
  }
};

bool IsAboutPermission(std::string_view error) {
  return error.starts_with("NOPERM") || error.starts_with("ERR unknown command");
}

absl::Status StatusOf(const Refused& refused, std::string_view user) {
  if (!refused.unknown.empty()) {
    return absl::FailedPreconditionError(fmt::format(
        "Redis does not know these commands, which viewcountd needs: {}; take them out of rename-command in "
        "redis.conf",
        absl::StrJoin(refused.unknown, " ")));
  }
  if (refused.rules.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "the Redis user {0} lacks rights that viewcountd needs; give them with: redis-cli ACL SETUSER {0} {1}, "
      "and make it last (ACL SAVE, or the line of the user in redis.conf)",
      user.empty() ? "default" : user, absl::StrJoin(refused.rules, " ")));
}

asio::awaitable<absl::Status> RunScriptProbes(RedisConnection& connection, Refused& refused) {
  static const Script probe(kProbeLua);
  std::vector<std::string> counts;
  counts.reserve(ScriptProbes().size());
  std::vector<std::string_view> arguments;
  for (const Probe& command : ScriptProbes()) {
    arguments.push_back(counts.emplace_back(std::to_string(command.words.size())));
    arguments.insert(arguments.end(), command.words.begin(), command.words.end());
  }
  const std::vector<std::string_view> keys = {kHash, kRanking, kViewers};
  const auto reply = co_await probe.Run(connection, keys, arguments);
  if (!reply.ok()) {
    // Redis does not run a script at all if it refuses the script's keys.
    if (absl::IsPermissionDenied(reply.status())) {
      const std::string text(reply.status().message());
      if (text.find("access") != std::string::npos) {
        refused.rules.insert(std::string(kKeys));
      } else if (text.find("eval") != std::string::npos) {
        refused.rules.insert({"+eval", "+evalsha"});
      }
    }
    co_return absl::OkStatus();
  }
  for (size_t i = 1; i + 1 < reply->elements.size(); i += 2) {
    size_t number = 0;
    const std::string& text = reply->elements[i].text;
    std::from_chars(text.data(), text.data() + text.size(), number);
    if (number == 0 || number > ScriptProbes().size()) continue;
    refused.Add(ScriptProbes()[number - 1].rule, reply->elements[i + 1].text);
  }
  co_return absl::OkStatus();
}

}  // namespace

std::string LeastUser(std::string_view name, std::string_view password) {
  std::string line = fmt::format("user {} on >{} {} -@all", name, password, kKeys);
  for (const auto& probes : {DirectProbes(), ScriptProbes()}) {
    for (const Probe& probe : probes) line += fmt::format(" {}", probe.rule);
  }
  for (const std::string_view rule : kOtherRules) line += fmt::format(" {}", rule);
  return line;
}

asio::awaitable<absl::Status> CheckPermissions(RedisConnection& connection, std::string_view user) {
  Refused refused;
  for (const Probe& probe : DirectProbes()) {
    const auto reply = co_await connection.Execute(probe.words);
    if (!reply.ok()) co_return reply.status();
    // Preflight says what to do. Redis closes a connection that sends a long command without a password.
    if (reply->kind == Reply::Kind::kError && reply->text.starts_with("NOAUTH")) co_return absl::OkStatus();
    if (reply->kind == Reply::Kind::kError && IsAboutPermission(reply->text)) refused.Add(probe.rule, reply->text);
  }
  if (auto status = co_await RunScriptProbes(connection, refused); !status.ok()) co_return status;
  co_return StatusOf(refused, user);
}

}  // namespace viewcount
