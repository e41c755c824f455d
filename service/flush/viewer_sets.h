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
  // `online_from` is a number of limits::kOnlineSlot intervals since 1970. Viewers seen before it are not online any
  // more.
  ViewerSets(const Chunk& chunk, const std::vector<std::shared_ptr<const Site>>& sites, uint32_t online_from);

  // Returns the sets of a shard. Each viewer occurs once in each set.
  std::vector<ViewerSet> Of(Shard shard) const;

 private:
  void AddArticles(Shard shard, std::vector<ViewerSet>& sets) const;
  void AddSites(Shard shard, std::vector<ViewerSet>& sets) const;

  const Chunk& chunk_;
  const std::vector<std::shared_ptr<const Site>>& sites_;
  const uint32_t online_from_;
  // Indexes into the chunk's lists of viewers, by shard.
  std::array<std::vector<uint32_t>, limits::kShards> of_articles_;
  std::array<std::vector<uint32_t>, limits::kShards> of_sites_;
};

}  // namespace viewcount
