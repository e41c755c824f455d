// Which hashes of counts and rankings a store holds, found without blocking it.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"
#include "service/base/limits.h"
#include "service/store/redis/connection.h"

namespace viewcount {

// A hash of counts within its shard, as `demo:all` or `demo:d:20261122`. Points into the text it was made of.
struct HashName {
  std::string_view site;
  std::string_view window;

  // Nothing if `text` names no hash of counts.
  static std::optional<HashName> Parse(std::string_view text);
  bool is_day() const { return window.starts_with("d:"); }
  bool is_hour() const { return window.starts_with("h:"); }
  // Visits are the site's alone, and bots have no ranking.
  bool is_ranked() const { return window == "all" || is_day() || is_hour(); }
  // Whether its views are among those that lanes' totals speak of.
  bool is_of_all_time() const { return window == "all" || window == "bots"; }
  std::string Key(Shard shard) const;
  // Empty for a hash without one.
  std::string RankingKey(Shard shard) const;
};

// A value. Names as HashName::Parse takes them: those of hashes, and of rankings, whose hash may be missing.
using ShardHashes = std::array<std::set<std::string>, limits::kShards>;

// Reads the whole key space in steps, or what of it belongs to one shard. What is there all the while is found; what
// comes or goes meanwhile may be. Errors are those of the connection.
boost::asio::awaitable<absl::StatusOr<ShardHashes>> ScanHashes(RedisConnection& connection, std::optional<Shard> only);

}  // namespace viewcount
