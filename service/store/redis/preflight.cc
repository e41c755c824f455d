#include "service/store/redis/preflight.h"

#include <fmt/format.h>

#include <charconv>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/store/redis/append_only_seal.h"
#include "service/store/redis/keys.h"
#include "service/store/redis/open_lua.h"
#include "service/store/redis/permissions.h"
#include "service/store/redis/script.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

constexpr int kRedisMajorVersionMin = 7;

int NumberOf(std::string_view text) {
  int value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

absl::Status CheckServer(std::string_view info) {
  const std::string_view version = InfoField(info, "redis_version");
  if (NumberOf(version) < kRedisMajorVersionMin) {
    return absl::FailedPreconditionError(fmt::format("Redis is of version {}; 7.0 or later is needed", version));
  }
  if (InfoField(info, "redis_mode") == "cluster") {
    return absl::FailedPreconditionError(
        "this Redis is part of a cluster, which is not built yet; use a standalone one");
  }
  if (InfoField(info, "loading") == "1") {
    return ErrorWithReason(absl::StatusCode::kUnavailable, "Redis is loading its data", "REDIS_LOADING");
  }
  if (InfoField(info, "role") != "master") {
    return ErrorWithReason(absl::StatusCode::kUnavailable, "this Redis is a replica; use its master, or promote it",
                           "REDIS_READONLY");
  }
  const std::string_view policy = InfoField(info, "maxmemory_policy");
  if (policy != "noeviction") {
    return ErrorWithReason(
        absl::StatusCode::kFailedPrecondition,
        fmt::format("this Redis evicts keys (maxmemory-policy {}), so it would lose counts; set it with: "
                    "redis-cli config set maxmemory-policy noeviction, and in redis.conf",
                    policy),
        "REDIS_EVICTING");
  }
  return absl::OkStatus();
}

uint64_t EvictedKeysOf(std::string_view info) {
  uint64_t keys = 0;
  const std::string_view text = InfoField(info, "evicted_keys");
  std::from_chars(text.data(), text.data() + text.size(), keys);
  return keys;
}

asio::awaitable<std::string> PersistenceWarning(RedisConnection& connection, std::string_view info) {
  if (InfoField(info, "aof_enabled") == "1") co_return "";
  const RedisCommand command = {"CONFIG", "GET", "save"};
  const auto save = co_await connection.Execute(command);
  if (!save.ok()) co_return "";
  if (save->elements.size() != 2) {
    co_return fmt::format(
        "this Redis has no append-only file, and does not tell its user whether it saves snapshots (CONFIG GET save: "
        "{}); see to it that it does, and silence this with: --redis-waive {}",
        save->text, kWaivePersistence);
  }
  if (!save->elements[1].text.empty()) co_return "";
  co_return fmt::format(
      "this Redis keeps nothing on disk; counts are lost when it restarts. Set appendonly yes, or silence this with: "
      "--redis-waive {}",
      kWaivePersistence);
}

namespace {

absl::Status NotOurs() {
  return absl::FailedPreconditionError("vc:meta in Redis is not what viewcount writes; use another database");
}

absl::Status CheckDataSet(const std::vector<Reply>& meta, DataSetId expected, PreflightResult& result) {
  const auto id = meta.size() == 4 ? IdFromHex<DataSetId>(meta[1].text) : std::nullopt;
  if (!id) return NotOurs();
  result.data_set = *id;
  result.begun = meta[0].text == "BEGUN";
  if (const int format = NumberOf(meta[2].text); format != static_cast<int>(limits::kStoreFormatVersion)) {
    return absl::FailedPreconditionError(
        fmt::format("the counts in Redis are of format {}, this viewcountd knows format {}; {}", meta[2].text,
                    limits::kStoreFormatVersion,
                    format > static_cast<int>(limits::kStoreFormatVersion) ? "use a newer viewcountd"
                                                                           : "use the viewcountd that wrote them"));
  }
  if (NumberOf(meta[3].text) != static_cast<int>(limits::kShards)) {
    return absl::FailedPreconditionError(
        fmt::format("the counts in Redis are in {} shards, this viewcountd knows {}", meta[3].text, limits::kShards));
  }
  if (!expected.IsNone() && *id != expected) {
    return absl::FailedPreconditionError(fmt::format(
        "this data directory belongs to data set {}, but Redis holds data set {}; point --redis at the right "
        "server, or use another --data-dir",
        ToHex(expected), ToHex(*id)));
  }
  return absl::OkStatus();
}

// Returns whether lanes have brought something to any shard.
asio::awaitable<absl::StatusOr<bool>> HoldsCounts(RedisConnection& connection) {
  std::vector<std::string> lanes;
  for (uint32_t i = 0; i < limits::kShards; ++i) lanes.push_back(keys::Lanes(Shard{static_cast<uint8_t>(i)}));
  RedisCommand command = {"EXISTS"};
  command.insert(command.end(), lanes.begin(), lanes.end());
  const auto reply = Expect(co_await connection.Execute(command), Reply::Kind::kInteger, "EXISTS");
  if (!reply.ok()) co_return reply.status();
  co_return reply->integer > 0;
}

// A store that lost vc:meta must not become another data set, because its own instances could never use it again.
asio::awaitable<absl::Status> CheckUnclaimed(RedisConnection& connection) {
  const RedisCommand ask = {"HEXISTS", keys::kMeta, "data_set"};
  const auto known = co_await connection.Execute(ask);
  if (!known.ok()) co_return known.status();
  // If the key holds another type, the check of the data set reports it.
  if (known->kind == Reply::Kind::kError || known->integer == 1) co_return absl::OkStatus();
  const auto holds = co_await HoldsCounts(connection);
  if (!holds.ok()) co_return holds.status();
  if (!*holds) co_return absl::OkStatus();
  co_return absl::FailedPreconditionError(
      "Redis holds counts, but vc:meta, which says of which data set they are, is gone; an instance of that data set "
      "puts it back when it runs, so start one of those first, or use another database");
}

}  // namespace

asio::awaitable<absl::StatusOr<PreflightResult>> Preflight(RedisConnection& connection, DataSetId expected,
                                                           std::string_view user, RedisWaivers waivers) {
  static const Script open(kOpenLua);
  const RedisCommand ask = {"INFO"};
  auto reply = co_await connection.Execute(ask);
  if (reply.ok() && reply->kind == Reply::Kind::kError && reply->text.starts_with("NOAUTH")) {
    co_return absl::PermissionDeniedError("Redis wants a password; give it as --redis redis://:PASSWORD@host:port");
  }
  const auto info = Expect(std::move(reply), Reply::Kind::kText, "INFO");
  // The kind of server is checked first, because a replica refuses writes whatever rights its user has.
  if (info.ok()) {
    if (auto status = CheckServer(info->text); !status.ok()) co_return status;
  }
  // The error of this check names all rights that the user lacks, the one for INFO included.
  if (auto status = co_await CheckPermissions(connection, user); !status.ok()) co_return status;
  if (!info.ok()) co_return info.status();
  if (expected.IsNone()) {
    if (auto status = co_await CheckUnclaimed(connection); !status.ok()) co_return status;
  }
  // Must precede the first write.
  absl::StatusOr<bool> sealed = false;
  if (!waivers.aof_rewrite) sealed = co_await SealAppendOnlyFile(connection, info->text);
  if (!sealed.ok()) co_return sealed.status();

  const std::string id = ToHex(expected.IsNone() ? RandomId<DataSetId>() : expected);
  const std::string format = std::to_string(limits::kStoreFormatVersion);
  const std::string shards = std::to_string(limits::kShards);
  const std::vector<std::string_view> keys = {keys::kMeta};
  const std::vector<std::string_view> arguments = {id, format, shards};
  const auto meta = co_await open.Run(connection, keys, arguments);
  if (ReasonOf(meta.status()) == "REDIS_WRONGTYPE") co_return NotOurs();
  if (!meta.ok()) co_return meta.status();
  PreflightResult result;
  result.run_id = InfoField(info->text, "run_id");
  result.evicted_keys = EvictedKeysOf(info->text);
  if (auto status = CheckDataSet(meta->elements, expected, result); !status.ok()) co_return status;
  if (*sealed) {
    if (auto status = co_await NoteSealed(connection, info->text); !status.ok()) co_return status;
  }
  if (!waivers.persistence) result.warning = co_await PersistenceWarning(connection, info->text);
  co_return result;
}

bool IsRefusal(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsPermissionDenied(status) ||
         ReasonOf(status) == "REDIS_UNKNOWN_COMMAND";
}

}  // namespace viewcount
