// Collects articles of one shard into the hashes that a part adds to, and what administrators noted.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "service/lane/chunk.h"
#include "service/sites/site.h"
#include "service/store/count_store.h"

namespace viewcount {

// One thread; the chunk and the sites must outlive the part.
class PartBuilder {
 public:
  PartBuilder(const Chunk& chunk, const std::vector<std::shared_ptr<const Site>>& sites)
      : chunk_(chunk), sites_(sites) {}

  // Each article at most once. Returns the sum of its views.
  uint64_t Add(const Chunk::Article& article);
  std::vector<HashDelta> Take() { return std::move(hashes_); }
  std::vector<Note> TakeNotes() { return std::move(notes_); }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  // Indexes into `hashes_` of what a bucket adds to.
  struct Targets {
    uint32_t all = kNone;
    uint32_t day = kNone;
    uint32_t hour = kNone;
    uint32_t bots = kNone;
  };

  void AddTo(uint32_t& target, const Chunk::Bucket& bucket, Window window, std::string_view article_id, uint64_t views);

  void AddAdjusted(const Chunk::Article& article, const Chunk::Adjusted& adjusted);

  const Chunk& chunk_;
  const std::vector<std::shared_ptr<const Site>>& sites_;
  std::vector<HashDelta> hashes_;
  std::vector<Note> notes_;
  // Indexes into `hashes_` of what adjustments change.
  std::map<std::pair<SiteIndex, Window>, size_t> adjusted_;
  // By the chunk's bucket index.
  std::vector<Targets> targets_;
};

}  // namespace viewcount
