// A sealed chunk laid out for the store: each shard's articles in order, cut into parts.
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
#include "service/sites/site_directory.h"
#include "service/store/count_store.h"

namespace viewcount {

// A part and the articles it consists of.
struct PlannedPart {
  Part part;
  // Indexes into the chunk's articles; points into the plan.
  std::span<const uint32_t> articles;
  // Sum of their counts, bots' included.
  uint64_t views = 0;
};

// One thread. Keeps the chunk and the names of its sites alive.
class ChunkPlan {
 public:
  struct Options {
    // Of a part.
    size_t articles_max = limits::kFlushPartArticlesMax;
    // Now, in Unix milliseconds: nobody is online who was seen too long before.
    int64_t now_unix_ms = 0;
  };
  ChunkPlan(SealedChunk sealed, const SiteDirectory& sites) : ChunkPlan(std::move(sealed), sites, Options()) {}
  ChunkPlan(SealedChunk sealed, const SiteDirectory& sites, Options options);
  ChunkPlan(const ChunkPlan&) = delete;
  ChunkPlan& operator=(const ChunkPlan&) = delete;

  const Chunk& chunk() const { return *chunk_; }
  // Those it is for. Each is sent at least one part, so that its cursor moves, even if it has no article here.
  ShardSet shards() const { return of_; }
  bool IsFinished(Shard shard, const Cursor& cursor) const;
  // Whether that is so of all its shards.
  bool IsFinished(const Ledger::Still& still) const;
  // Whether parts of this plan lead from the one cursor of the shard to the other.
  bool Leads(Shard shard, const Cursor& before, const Cursor& after) const;
  // The articles that are applied at `after` and were not at `before`: both of this shard, of this chunk or older.
  std::span<const uint32_t> Between(Shard shard, const Cursor& before, const Cursor& after);
  // The part that follows `cursor`; the shard must not be finished. `lane` and `incarnation` are filled in.
  PlannedPart NextPart(Shard shard, const Cursor& cursor, const LaneIdentity& lane);

 private:
  void NoteViewers(const SiteDirectory& sites, int64_t now_unix_ms);
  // In order of ArticleKey; sorted when first asked for, so that no sort of the whole chunk holds up the thread.
  std::span<const uint32_t> Sorted(Shard shard);
  void Sort(std::vector<uint32_t>& articles) const;
  void FetchAhead(std::span<const uint32_t> articles, size_t at) const;
  size_t CommonBytes(std::span<const uint32_t> articles) const;
  // How many of the shard's articles `cursor` covers.
  size_t CoveredBy(Shard shard, const Cursor& cursor);
  ArticleKey KeyOf(uint32_t article) const;
  size_t FieldsOf(const Chunk::Article& article) const;

  const std::shared_ptr<const Chunk> chunk_;
  const ShardSet of_;
  const size_t part_articles_max_;
  // By site index; null for sites that are not in the chunk.
  std::vector<std::shared_ptr<const Site>> sites_;
  // Their places in order of their names.
  std::vector<uint32_t> site_ranks_;
  std::array<std::vector<uint32_t>, limits::kShards> shards_;
  std::array<bool, limits::kShards> sorted_{};
  // None if no viewer is known here.
  std::optional<ViewerSets> viewers_;
};

}  // namespace viewcount
