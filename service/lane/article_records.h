// A chunk's articles: each with its newest counts and its ID in one piece of memory that never moves, in order of first
// view.
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

// One thread writes; reading is for any thread while nobody writes.
class ArticleRecords {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  // An article's views in one bucket; `next` is the index of its next delta, or kNone.
  struct Delta {
    uint64_t views = 0;
    uint64_t bot_views = 0;
    uint32_t bucket = kNone;
    uint32_t next = kNone;
  };
  struct Article {
    // Lies right behind this.
    std::string_view id;
    uint64_t hash = 0;
    // Its number among all articles here.
    uint32_t index = 0;
    SiteIndex site;
    // Of the newest bucket; of none (kNone) if it has no views.
    Delta delta;

    bool Is(SiteIndex its_site, uint64_t its_hash, std::string_view its_id) const {
      return hash == its_hash && site == its_site && id.size() == its_id.size() &&
             AreEqual(id.data(), its_id.data(), id.size());
    }
  };

  // `pool` must outlive it.
  explicit ArticleRecords(BlockPool& pool) : pool_(pool) {}
  ArticleRecords(const ArticleRecords&) = delete;
  ArticleRecords& operator=(const ArticleRecords&) = delete;
  ~ArticleRecords();

  // Returns the place of the new article, never 0.
  uint32_t Append(SiteIndex site, uint64_t hash, std::string_view id);
  Article& At(uint32_t place) { return *reinterpret_cast<Article*>(AddressOf(place)); }
  const Article& At(uint32_t place) const { return *reinterpret_cast<const Article*>(AddressOf(place)); }
  // Begins to fetch an article and its ID, if that is not a very long one.
  static void Prefetch(const Article* article) {
    __builtin_prefetch(article, 1);
    __builtin_prefetch(reinterpret_cast<const char*>(article) + kLineBytes, 1);
  }

  size_t size() const { return size_; }
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

  // Of its blocks.
  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kLineBytes = 64;
  // A place is a number of such units, so that 32 bits are enough for 32 GiB.
  static constexpr size_t kUnitBytes = 8;
  // Of a lane with little to do, one block is enough.
  static constexpr size_t kFirstBlockBytes = 64 << 10;
  static constexpr size_t kBlockBytes = 2 << 20;
  static constexpr size_t kBlockUnits = kBlockBytes / kUnitBytes;
  static constexpr size_t kPagePlaces = 16 << 10;
  static constexpr size_t kPageBytes = kPagePlaces * sizeof(uint32_t);

  // IDs are short: a call of memcmp would take longer.
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
  // Of the last block.
  size_t used_bytes_ = 0;
  // Places by index.
  std::vector<uint32_t*> pages_;
  size_t size_ = 0;
  size_t bytes_ = 0;
};

}  // namespace viewcount
