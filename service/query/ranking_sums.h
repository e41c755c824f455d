// Finds the articles that may have the most views in several windows together, from the windows' rankings.
//
// An article's sum is at least what the rankings say about it. It is at most that, plus the lowest count of each
// ranking that does not list it. So few articles can be among the highest: those whose upper bound reaches the lower
// bound of the list's last place. (This is the algorithm NRA of Fagin, Lotem, Naor, "Optimal aggregation algorithms for
// middleware", 2001.) Their exact sums are then read from the hashes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "service/base/identifiers.h"
#include "service/base/limits.h"
#include "service/model/weighted_windows.h"
#include "service/query/window_memory.h"

namespace viewcount {

// Not thread-safe.
class RankingSums {
 public:
  // Adds the rankings of a shard, one for each window. Each shard must be added once. With weights, all sums are
  // weighted. `numbers` names the articles.
  void Add(Shard shard, std::shared_ptr<const ArticleNumbers> numbers, std::span<const NumberedRanking> rankings,
           const WeightedWindows& windows);

  struct Choice {
    // For every shard, the articles whose sums should be read. At most kArticlesMax in all.
    std::array<std::vector<std::string>, limits::kShards> articles;
    // For every shard, a bound for the stored sum of every other article. 0 if there is no other.
    std::array<uint64_t, limits::kShards> others_max = {};
    // True if the `places` articles with the highest sums are among `articles`.
    bool proven = false;
  };
  static constexpr size_t kArticlesMax = 2 * limits::kDeepListMax;
  // Returns the number of articles of the longest ranking.
  size_t longest() const { return longest_; }
  // Chooses the articles for a list of `places`, and those that are close to it.
  Choice Choose(size_t places) const;

 private:
  struct Article {
    uint32_t number = 0;
    // Bounds for its sum.
    int64_t least = 0;
    int64_t most = 0;
  };
  struct OfShard {
    std::shared_ptr<const ArticleNumbers> numbers;
    std::vector<Article> articles;
    // A bound for the sum of articles that no ranking lists.
    int64_t unlisted_most = 0;
  };
  std::array<OfShard, limits::kShards> shards_;
  size_t longest_ = 0;
};

}  // namespace viewcount
