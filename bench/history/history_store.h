// Writes a history into Redis as viewcountd would have written it: see service/store/redis/KEYS.md.
#pragma once

#include <absl/status/status.h>
#include <absl/time/civil_time.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/history/popularity.h"
#include "bench/history/redis_pipe.h"
#include "service/base/limits.h"
#include "service/model/window.h"
#include "service/sites/site.h"

namespace viewcount::bench {

struct HistoryOptions {
  std::string redis;
  std::string site = "demo";
  size_t articles = 100'000;
  size_t days = 60;
  double views_per_day = 1'000'000;
  uint64_t seed = 1;
  // The percentage of articles that are announced.
  uint32_t announced = 90;
};

// The numbers of what was written.
struct HistoryTally {
  uint64_t views = 0;
  uint64_t day_counts = 0;
  uint64_t hour_counts = 0;
  uint64_t all_time_counts = 0;
  uint64_t announced = 0;
  uint64_t rankings = 0;
  uint64_t ranked = 0;
};

// Views whose viewers are not known: there are no visits, no sets of viewers and no salts. The views count as those of
// lanes that were removed. So the store needs no lane, and any viewcountd can begin with it. Not thread-safe.
class HistoryStore {
 public:
  // `now_unix_s` lies in the last day of the history. `progress` is called after each day.
  HistoryStore(const HistoryOptions& options, Site site, int64_t now_unix_s, RedisPipe& pipe);

  absl::Status Write(const std::function<void(size_t day, const HistoryTally&)>& progress);
  const HistoryTally& tally() const { return tally_; }
  // Returns the memory of the keys of one shard that the store wrote, by kind, in bytes.
  absl::StatusOr<std::map<std::string, uint64_t>> ReadMemory(Shard shard);

 private:
  using ByShard = std::array<std::vector<ArticleViews>, limits::kShards>;

  void WriteDay(size_t day);
  void WriteHour(int64_t hour, ByShard& views);
  void WriteAllTime();
  void WriteTotals();
  void WriteDescriptions();
  // Writes the hash and the ranking of a window, and returns the sum of the counts. With an expiry (Unix seconds) above
  // 0 both expire.
  uint64_t WriteWindow(Shard shard, Window window, std::vector<ArticleViews>& views, int64_t expiry = 0);
  void WriteHash(const std::string& key, const std::vector<ArticleViews>& views, uint64_t sum);
  void WriteRanking(const std::string& key, std::vector<ArticleViews>& views, size_t ranked);

  const HistoryOptions options_;
  const Site site_;
  const int64_t now_;
  // The number of the history's first day since 1970.
  const int64_t first_day_;
  RedisPipe& pipe_;
  Popularity popularity_;
  const std::vector<std::string> ids_;
  std::array<std::vector<uint32_t>, limits::kShards> articles_;
  std::vector<uint64_t> all_time_;
  std::array<uint64_t, limits::kShards> counted_{};
  std::vector<std::string> numbers_;
  HistoryTally tally_;
};

}  // namespace viewcount::bench
