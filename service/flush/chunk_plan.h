// Plans how a sealed chunk is written to the store: each shard's articles in order, divided into parts.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "service/base/limits.h"
#include "service/flush/viewer_sets.h"
#include "service/lane/ledger.h"
#include "service/model/lane_identity.h"
#include "service/sites/site_directory.h"
#include "service/store/part.h"

namespace viewcount {

// A part and the articles that it consists of.
struct PlannedPart {
  Part part;
  // Indexes into the chunk's articles. The span points into the plan.
  std::span<const uint32_t> articles;
  // The sum of the articles' views, including bots' views.
  uint64_t views = 0;
};

// The parts of one sealed chunk. Not thread-safe. It keeps the chunk and the sites of its articles alive.
class ChunkPlan {
 public:
  struct Options {
    // The maximum number of articles in a part.
    size_t articles_max = limits::kFlushPartArticlesMax;
    // The present time in Unix milliseconds. Viewers who were last seen limits::kOnlineSpan before it are not online
    // any more. Hours and days that are not kept any more are left out.
    int64_t now_unix_ms = 0;
  };
  ChunkPlan(SealedChunk sealed, const SiteDirectory& sites) : ChunkPlan(std::move(sealed), sites, Options()) {}
  ChunkPlan(SealedChunk sealed, const SiteDirectory& sites, Options options);
  ChunkPlan(const ChunkPlan&) = delete;
  ChunkPlan& operator=(const ChunkPlan&) = delete;

  const Chunk& chunk() const { return *chunk_; }
  // Returns the shards that the chunk is for. Each of them gets at least one part, even without articles, so that its
  // cursor moves.
  ShardSet shards() const { return of_; }
  // Returns whether a shard whose cursor is `cursor` needs no more parts of this chunk.
  bool IsFinished(Shard shard, const Cursor& cursor) const;
  // Returns whether this is true for all shards of the chunk.
  bool IsFinished(const Ledger::LockedView& still) const;
  // Returns whether parts of this plan lead from cursor `before` of the shard to cursor `after`.
  bool Leads(Shard shard, const Cursor& before, const Cursor& after) const;
  // Returns the articles that are applied at `after` but not at `before`. Both must be cursors of this shard, and refer
  // to this chunk or an older one.
  std::span<const uint32_t> Between(Shard shard, const Cursor& before, const Cursor& after);
  // Returns the part that follows `cursor`. The shard must not be finished. `lane` provides the lane's ID and
  // incarnation.
  PlannedPart NextPart(Shard shard, const Cursor& cursor, const LaneIdentity& lane);

 private:
  // Collects the chunk's viewers into `viewers_`, and the sites that they viewed into `sites_`.
  void NoteViewers(const SiteDirectory& sites);
  // Returns the shard's articles in order of ArticleKey. They are sorted at the first request, so that no sort of the
  // whole chunk delays the thread.
  std::span<const uint32_t> Sorted(Shard shard);
  void Sort(std::vector<uint32_t>& articles) const;
  void FetchAhead(std::span<const uint32_t> articles, size_t at) const;
  size_t CommonBytes(std::span<const uint32_t> articles) const;
  // Returns how many of the shard's articles `cursor` covers.
  size_t CoveredBy(Shard shard, const Cursor& cursor);
  ArticleKey KeyOf(uint32_t article) const;
  size_t FieldsOf(const Chunk::Article& article) const;

  const std::shared_ptr<const Chunk> chunk_;
  const ShardSet of_;
  const Options options_;
  // The sites by index; null for sites that are not in the chunk.
  std::vector<std::shared_ptr<const Site>> sites_;
  // The rank of each site in the order of names, by index.
  std::vector<uint32_t> site_ranks_;
  // The indexes of each shard's articles, and whether they are sorted already.
  std::array<std::vector<uint32_t>, limits::kShards> shards_;
  std::array<bool, limits::kShards> sorted_{};
  // Nothing if the chunk has no known viewers.
  std::optional<ViewerSets> viewers_;
};

}  // namespace viewcount
