// Stores a chunk's articles in order of first view. Each article lies with its newest counts and its ID in one piece of
// memory that never moves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "service/base/identifiers.h"
#include "service/lane/block_pool.h"

namespace viewcount {

// An append-only list of articles. Not thread-safe: one thread writes; any thread may read while no thread writes. Its
// memory comes from a BlockPool and returns to it in the destructor.
class ArticleRecords {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  // The views of an article in one bucket. `next` is the index of the article's next delta, or kNone.
  struct Delta {
    uint64_t views = 0;
    uint64_t bot_views = 0;
    uint32_t bucket = kNone;
    uint32_t next = kNone;
  };
  struct Article {
    // The bytes of the ID follow the Article in memory.
    std::string_view id;
    uint64_t hash = 0;
    // The article's number among all articles of this list.
    uint32_t index = 0;
    SiteIndex site;
    // The views in the article's newest bucket. Its bucket is kNone if the article has no views.
    Delta delta;

    bool Is(SiteIndex its_site, uint64_t its_hash, std::string_view its_id) const {
      return hash == its_hash && site == its_site && id.size() == its_id.size() &&
             AreEqual(id.data(), its_id.data(), id.size());
    }
  };

  // `pool` must outlive this object.
  explicit ArticleRecords(BlockPool& pool) : pool_(pool) {}
  ArticleRecords(const ArticleRecords&) = delete;
  ArticleRecords& operator=(const ArticleRecords&) = delete;
  ~ArticleRecords();

  // Appends an article that is not in the list yet and copies `id`. Returns the article's place, which is never 0.
  uint32_t Append(SiteIndex site, uint64_t hash, std::string_view id);
  // Returns the article at a place that Append returned.
  Article& At(uint32_t place) { return *reinterpret_cast<Article*>(AddressOf(place)); }
  const Article& At(uint32_t place) const { return *reinterpret_cast<const Article*>(AddressOf(place)); }
  // Starts to load an article and its ID into the cache. The end of a long ID is not loaded.
  static void Prefetch(const Article* article) {
    __builtin_prefetch(article, 1);
    __builtin_prefetch(reinterpret_cast<const char*>(article) + kLineBytes, 1);
  }

  size_t size() const { return size_; }
  // Returns the article with this index; indexes count from 0 in order of first view.
  const Article& operator[](size_t index) const { return At(pages_[index / kPagePlaces][index % kPagePlaces]); }
  class Iterator {
   public:
    Iterator(const ArticleRecords& articles, size_t index) : articles_(articles), index_(index) {}
    const Article& operator*() const { return articles_[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const ArticleRecords& articles_;
    size_t index_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size_}; }

  // Returns the memory of the blocks and of the index pages in bytes.
  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kLineBytes = 64;
  // A place is an offset in units of this size, so 32 bits can address 32 GiB.
  static constexpr size_t kUnitBytes = 8;
  // The first block is small, because it is enough for a lane with few views.
  static constexpr size_t kFirstBlockBytes = 64 << 10;
  static constexpr size_t kBlockBytes = 2 << 20;
  static constexpr size_t kBlockUnits = kBlockBytes / kUnitBytes;
  static constexpr size_t kPagePlaces = 16 << 10;
  static constexpr size_t kPageBytes = kPagePlaces * sizeof(uint32_t);

  // Compares two IDs of `bytes` bytes. IDs are short, so a call of memcmp would take longer.
  static bool AreEqual(const char* a, const char* b, size_t bytes) {
    if (bytes < sizeof(uint64_t)) return std::equal(a, a + bytes, b);
    const auto differ = [&](size_t at) {
      uint64_t left;
      uint64_t right;
      std::memcpy(&left, a + at, sizeof(left));
      std::memcpy(&right, b + at, sizeof(right));
      return left ^ right;
    };
    uint64_t difference = differ(bytes - sizeof(uint64_t));
    for (size_t at = 0; at + sizeof(uint64_t) < bytes; at += sizeof(uint64_t)) difference |= differ(at);
    return difference == 0;
  }
  static size_t BytesOf(size_t block) { return block == 0 ? kFirstBlockBytes : kBlockBytes; }
  char* AddressOf(uint32_t place) const { return blocks_[place / kBlockUnits] + (place % kBlockUnits) * kUnitBytes; }
  void AddBlock();

  BlockPool& pool_;
  std::vector<char*> blocks_;
  // How many bytes of the last block are used.
  size_t used_bytes_ = 0;
  // The place of every article by index, in pages of kPagePlaces places.
  std::vector<uint32_t*> pages_;
  size_t size_ = 0;
  size_t bytes_ = 0;
};

}  // namespace viewcount
