// Models the contents of the store after a stream of views. It counts the exact totals of every hash in the simplest
// way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "service/base/hash.h"
#include "service/base/identifiers.h"
#include "service/model/views_request.h"
#include "service/model/window.h"
#include "service/sites/site.h"

namespace viewcount {

using Totals = std::map<std::string, uint64_t>;
// Returns the `count` highest (ID, total) pairs, by descending total and then by ascending ID in bytewise order.
using RankedTotals = std::vector<std::pair<std::string, uint64_t>>;

inline RankedTotals HighestOf(const Totals& totals, size_t count) {
  RankedTotals ranked(totals.begin(), totals.end());
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  ranked.resize(std::min(ranked.size(), count));
  return ranked;
}

// Models a site in UTC. Not thread-safe.
class RankingModel {
 public:
  explicit RankingModel(const Site& site) : site_(site) {}

  void Add(const DecodedView& view) {
    const std::string id(view.article_id);
    const Shard shard = ShardOf(ArticleHash(site_.seed, id));
    const auto hour = static_cast<uint32_t>(view.event_time_unix_ms / 3'600'000);
    if (view.bot) {
      hashes_[{shard, {Window::Kind::kBots, 0}}][id] += view.count;
      return;
    }
    const absl::CivilDay day = absl::CivilDay(1970, 1, 1) + hour / 24;
    hashes_[{shard, {Window::Kind::kAllTime, 0}}][id] += view.count;
    hashes_[{shard, {Window::Kind::kDay, DayNumber(day)}}][id] += view.count;
    hashes_[{shard, {Window::Kind::kHour, hour}}][id] += view.count;
  }

  // Lowers the total of an article in one hash by `views`, which may be 0 or the article's whole total.
  void Lower(Shard shard, Window window, const std::string& id, uint64_t views) {
    Totals& totals = hashes_.at({shard, window});
    if ((totals.at(id) -= views) == 0) totals.erase(id);
  }

  const std::map<std::pair<Shard, Window>, Totals>& hashes() const { return hashes_; }
  // Returns the totals of a window over all shards.
  Totals Of(Window window) const {
    Totals all;
    for (const auto& [key, totals] : hashes_) {
      if (key.second == window) all.insert(totals.begin(), totals.end());
    }
    return all;
  }

 private:
  const Site& site_;
  std::map<std::pair<Shard, Window>, Totals> hashes_;
};

// Returns IDs that are hard to sort. They have common prefixes, begin with other IDs, or contain UTF-8 bytes, spaces
// and percent signs. All IDs belong to shards below `shards`, so the caller chooses how many IDs share a shard.
inline std::vector<std::string> HardIds(const Site& site, size_t count, uint32_t shards, std::mt19937_64& random) {
  static const std::vector<std::string> kPieces = {"a",
                                                   "b",
                                                   "A",
                                                   "/",
                                                   "news/",
                                                   " ",
                                                   "0",
                                                   "10",
                                                   "9",
                                                   "-",
                                                   "%s",
                                                   "é",
                                                   "\xc2\xa0",
                                                   "việt",
                                                   "日本",
                                                   "z",
                                                   "\xf0\x9f\x93\xb0",
                                                   "~"};
  std::map<std::string, bool> taken;
  std::vector<std::string> ids;
  while (ids.size() < count) {
    std::string id;
    if (random() % 4 != 0) id = "/news/2026/";
    for (size_t pieces = 1 + random() % 6; pieces > 0; --pieces) id += kPieces[random() % kPieces.size()];
    if (ShardOf(ArticleHash(site.seed, id)).value >= shards || !taken.emplace(id, true).second) continue;
    ids.push_back(id);
  }
  return ids;
}

}  // namespace viewcount
