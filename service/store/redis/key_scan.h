// Lists the hashes of counts and the rankings that a store holds, without blocking it.
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

// The name of a hash of counts within its shard, such as `demo:all` or `demo:d:20261122`. Refers to the text it was
// parsed from.
struct HashName {
  std::string_view site;
  std::string_view window;

  // Returns nothing if `text` does not name a hash of counts.
  static std::optional<HashName> Parse(std::string_view text);
  bool is_day() const { return window.starts_with("d:"); }
  bool is_hour() const { return window.starts_with("h:"); }
  // Hashes of visits and of bots have no ranking: visits belong to the site alone.
  bool is_ranked() const { return window == "all" || is_day() || is_hour(); }
  // Returns whether the hash's views are among those that lanes' totals count.
  bool is_of_all_time() const { return window == "all" || window == "bots"; }
  std::string Key(Shard shard) const;
  // Returns an empty text for a hash without a ranking.
  std::string RankingKey(Shard shard) const;
};

// The hashes' names of each shard, in the form that HashName::Parse accepts. A name is listed if its hash or its
// ranking was found; so the hash of a listed name may be missing.
using ShardHashes = std::array<std::set<std::string>, limits::kShards>;

// Reads the whole key space in steps, and returns the names of all shards or of the shard `only`. Finds every key that
// exists during the whole scan; a key that is created or removed meanwhile may be missed. Errors are those of the
// connection.
boost::asio::awaitable<absl::StatusOr<ShardHashes>> ScanHashes(RedisConnection& connection, std::optional<Shard> only);

}  // namespace viewcount
