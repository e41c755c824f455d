// Memory for a lane's chunks. A destroyed chunk returns its blocks and the next chunk uses them again. The first access
// to a fresh page costs more than folding the views that the page holds.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "service/base/mutex.h"

namespace viewcount {

// Thread-safe. All blocks must be given back before the pool is destroyed.
class BlockPool {
 public:
  static constexpr size_t kBlockBytesMin = 128;

  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  // Returns a block of `bytes` bytes, which must be a power of two and at least kBlockBytesMin. The block is aligned to
  // 64 bytes. Its content is undefined.
  char* Take(size_t bytes);
  // Returns a block that Take provided. `bytes` must be the number that was passed to Take.
  void Give(char* block, size_t bytes);
  // Sets how many bytes of free blocks the pool keeps for later, and frees what exceeds that. The limit is 0 at the
  // beginning.
  void KeepAtMost(size_t bytes);
  // Returns the bytes of all free blocks that the pool keeps.
  size_t kept_bytes() const;

 private:
  static constexpr size_t kSizes = 48;

  mutable Mutex mutex_;
  // Free blocks by the binary logarithm of their size.
  std::array<std::vector<char*>, kSizes> free_ ABSL_GUARDED_BY(mutex_);
  size_t kept_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t kept_bytes_max_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace viewcount
