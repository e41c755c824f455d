#include "service/store/redis/append_only_seal.h"

#include <fmt/format.h>

#include <string>

#include "service/base/redis_waivers.h"
#include "service/base/status.h"
#include "service/store/redis/keys.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// The field of vc:meta that holds the run of Redis for which the append-only file was rewritten.
constexpr std::string_view kSealedRun = "sealed_run";

// Returns whether Redis has begun a new file. `reply` is its answer to BGREWRITEAOF.
absl::StatusOr<bool> Begun(const absl::StatusOr<Reply>& reply) {
  if (!reply.ok()) return reply.status();
  if (reply->kind != Reply::Kind::kError) return reply->text.find("started") != std::string::npos;
  // Another client, or Redis itself, has begun a rewrite. In any case that happened after the start of Redis.
  if (reply->text.find("already in progress") != std::string::npos) return true;
  const absl::Status error = ErrorOfReply(reply->text);
  const std::string reason = ReasonOf(error);
  if (reason != "REDIS_NOPERM" && reason != "REDIS_UNKNOWN_COMMAND") return error;
  const bool denied = reason == "REDIS_NOPERM";
  return ErrorWithReason(
      absl::StatusCode::kFailedPrecondition,
      fmt::format("this Redis keeps an append-only file but {}, without which two crashes of Redis in a row could make "
                  "views count twice; {}, or accept that with: --redis-waive {}",
                  denied ? "its user may not rewrite it (BGREWRITEAOF)" : "does not have the command BGREWRITEAOF",
                  denied ? "allow it with: ACL SETUSER NAME +bgrewriteaof" : "take its rename-command away",
                  kWaiveAofRewrite),
      reason);
}

bool RefusesAllWrites(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  return reason == "REDIS_OOM" || reason == "REDIS_MISCONF" || reason == "REDIS_NOREPLICAS";
}

}  // namespace

std::string_view InfoField(std::string_view info, std::string_view name) {
  const std::string key = fmt::format("\n{}:", name);
  const size_t at = info.find(key);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = info.substr(at + key.size());
  return rest.substr(0, rest.find_first_of("\r\n"));
}

asio::awaitable<absl::StatusOr<bool>> SealAppendOnlyFile(RedisConnection& connection, std::string_view info) {
  if (InfoField(info, "aof_enabled") != "1") co_return false;
  const RedisCommand ask = {"HGET", keys::kMeta, kSealedRun};
  const auto sealed = co_await connection.Execute(ask);
  if (!sealed.ok()) co_return sealed.status();
  // If vc:meta holds another type, the check of the data set reports it.
  if (sealed->kind == Reply::Kind::kError || sealed->text == InfoField(info, "run_id")) co_return false;
  const RedisCommand rewrite = {"BGREWRITEAOF"};
  const auto begun = Begun(co_await connection.Execute(rewrite));
  if (!begun.ok()) co_return begun.status();
  if (!*begun) {
    co_return absl::UnavailableError("Redis saves a snapshot; its append-only file is begun again when that is done");
  }
  co_return true;
}

asio::awaitable<absl::Status> NoteSealed(RedisConnection& connection, std::string_view info) {
  const RedisCommand note = {"HSET", keys::kMeta, kSealedRun, InfoField(info, "run_id")};
  const auto noted = Expect(co_await connection.Execute(note), Reply::Kind::kInteger, "HSET");
  co_return RefusesAllWrites(noted.status()) ? absl::OkStatus() : noted.status();
}

}  // namespace viewcount
