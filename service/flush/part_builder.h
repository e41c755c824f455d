// Collects the articles of one shard into the changes of hashes and the notes that a part contains.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "service/lane/chunk.h"
#include "service/sites/site.h"
#include "service/store/part.h"

namespace viewcount {

// Builds one part. Not thread-safe. The chunk and the sites must outlive the part, which points to their texts.
class PartBuilder {
 public:
  // `sites` are indexed by SiteIndex and must contain the site of every article that is added. Hours and days that are
  // not kept any more at `now_unix_ms` are left out.
  PartBuilder(const Chunk& chunk, const std::vector<std::shared_ptr<const Site>>& sites, int64_t now_unix_ms)
      : chunk_(chunk), sites_(sites), now_unix_ms_(now_unix_ms) {}

  // Adds an article's views and adjustments. Each article may be added once. Returns the sum of its views, including
  // bots' views.
  uint64_t Add(const Chunk::Article& article);
  // Take and TakeNotes move the results out. Call each of them once, after the last Add.
  std::vector<HashDelta> Take() { return std::move(hashes_); }
  std::vector<Note> TakeNotes() { return std::move(notes_); }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  static constexpr uint32_t kLeftOut = kNone - 1;
  // For a bucket: the indexes of the elements of `hashes_` that its views are added to.
  struct Targets {
    uint32_t all = kNone;
    uint32_t day = kNone;
    uint32_t hour = kNone;
    uint32_t bots = kNone;
  };

  void AddTo(uint32_t& target, const Chunk::Bucket& bucket, Window window, std::string_view article_id, uint64_t views);

  // Returns whether the store still keeps the window.
  bool IsWritten(const Site& site, Window window) const;
  HashDelta& AddHash(const Site& site, Window window, bool adjustment);
  void AddAdjusted(const Chunk::Article& article, const Chunk::Adjusted& adjusted);

  const Chunk& chunk_;
  const std::vector<std::shared_ptr<const Site>>& sites_;
  const int64_t now_unix_ms_;
  std::vector<HashDelta> hashes_;
  std::vector<Note> notes_;
  // The indexes of the elements of `hashes_` that adjustments change.
  std::map<std::pair<SiteIndex, Window>, size_t> adjusted_;
  // The targets by the chunk's bucket index.
  std::vector<Targets> targets_;
};

}  // namespace viewcount
