#include "service/store/redis/reply.h"

#include <fmt/format.h>

#include <charconv>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace {

// Returns the word that an error with the word ERR should have. Redis 7.0 uses ERR for some errors of commands inside
// scripts.
std::string_view WordOfPlainError(std::string_view text) {
  const auto has = [&](std::string_view part) { return text.find(part) != std::string_view::npos; };
  if (has("OOM command not allowed")) return "OOM";
  if (has("The user executing the script can't")) return "NOPERM";
  if (has("unknown command") || has("Unknown Redis command")) return "UNKNOWN_COMMAND";
  return "ERR";
}

}  // namespace

absl::Status ErrorOfReply(std::string_view text) {
  std::string_view word = text.substr(0, text.find(' '));
  if (word == "ERR") word = WordOfPlainError(text);
  absl::StatusCode code = absl::StatusCode::kInternal;
  if (word == "OOM") {
    code = absl::StatusCode::kResourceExhausted;
  } else if (word == "LOADING" || word == "BUSY" || word == "READONLY" || word == "MASTERDOWN" || word == "MISCONF" ||
             word == "CLUSTERDOWN" || word == "TRYAGAIN" || word == "NOREPLICAS") {
    code = absl::StatusCode::kUnavailable;
  } else if (word == "NOAUTH" || word == "WRONGPASS" || word == "NOPERM") {
    code = absl::StatusCode::kPermissionDenied;
  }
  return ErrorWithReason(code, fmt::format("Redis: {}", text), fmt::format("REDIS_{}", word));
}

bool IsFromWrongServer(std::string_view text) {
  const std::string_view word = text.substr(0, text.find(' '));
  return word == "READONLY" || word == "MASTERDOWN" || word == "LOADING";
}

std::string_view ExplanationOf(std::string_view reason) {
  if (reason == "REDIS_OOM") return "its memory is full (maxmemory); give it more, and never an evicting policy";
  if (reason == "REDIS_READONLY") return "it is a replica; promote it, or name its master in --redis";
  if (reason == "REDIS_MASTERDOWN") return "it is a replica that has lost its master";
  if (reason == "REDIS_LOADING") return "it is loading its data; wait";
  if (reason == "REDIS_MISCONF") return "it cannot write to its disk; free room there, and see its log";
  if (reason == "REDIS_NOREPLICAS") return "it is in touch with fewer replicas than min-replicas-to-write asks for";
  if (reason == "REDIS_NOPERM") return "its user may not run a command that is needed";
  if (reason == "REDIS_UNKNOWN_COMMAND") return "it does not have a command that is needed (rename-command?)";
  if (reason == "REDIS_BUSY") return "another client's script runs too long; redis-cli script kill";
  return "";
}

absl::StatusOr<Reply> Expect(absl::StatusOr<Reply> reply, Reply::Kind kind, std::string_view what) {
  if (!reply.ok() || reply->kind == kind) return reply;
  if (reply->kind == Reply::Kind::kError) return ErrorOfReply(reply->text);
  return absl::DataLossError(fmt::format("Redis answered {} with a reply of an unexpected type", what));
}

absl::StatusOr<int64_t> CountOf(const Reply& reply) {
  if (reply.is_nil()) return 0;
  constexpr auto kMax = static_cast<int64_t>(limits::kCountMax);
  int64_t value = 0;
  const char* end = reply.text.data() + reply.text.size();
  const auto [stop, error] = std::from_chars(reply.text.data(), end, value);
  if (reply.kind != Reply::Kind::kText || error != std::errc() || stop != end || value > kMax || value < -kMax) {
    return absl::DataLossError(fmt::format("Redis holds \"{}\" where a count should be", reply.text.substr(0, 40)));
  }
  return value;
}

}  // namespace viewcount
