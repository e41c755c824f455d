// Determines which viewers a chunk adds to the store's sets of viewers, shard by shard.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "service/base/limits.h"
#include "service/lane/chunk.h"
#include "service/sites/site.h"
#include "service/store/viewer_set.h"

namespace viewcount {

// The viewers of one chunk, by shard. Not thread-safe. The chunk and `sites`, which is indexed by SiteIndex, must
// outlive this object and its results.
class ViewerSets {
 public:
  // Viewers seen limits::kOnlineSpan before `now_unix_ms` are not online any more. Days that are not kept any more are
  // left out.
  ViewerSets(const Chunk& chunk, const std::vector<std::shared_ptr<const Site>>& sites, int64_t now_unix_ms);

  // Returns the sets of a shard. Each viewer occurs once in each set.
  std::vector<ViewerSet> Of(Shard shard) const;

 private:
  void AddArticles(Shard shard, std::vector<ViewerSet>& sets) const;
  void AddSites(Shard shard, std::vector<ViewerSet>& sets) const;

  const Chunk& chunk_;
  const std::vector<std::shared_ptr<const Site>>& sites_;
  const int64_t now_unix_ms_;
  // Indexes into the chunk's lists of viewers, by shard.
  std::array<std::vector<uint32_t>, limits::kShards> of_articles_;
  std::array<std::vector<uint32_t>, limits::kShards> of_sites_;
};

}  // namespace viewcount
