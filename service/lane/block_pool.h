// Memory for what a lane gathers: blocks that a chunk gives back when it goes, for the next one to use again, since the
// first touch of a page costs more than folding the views that it holds.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <vector>

namespace viewcount {

// Thread safe. All blocks must be given back before it goes.
class BlockPool {
 public:
  static constexpr size_t kBlockBytesMin = 128;

  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  // `bytes` is a power of two, at least kBlockBytesMin; the block begins at a multiple of 64. Its content is anything.
  char* Take(size_t bytes);
  void Give(char* block, size_t bytes);
  // Keeps at most so many bytes for later, from now on. 0 at the beginning.
  void KeepAtMost(size_t bytes);
  size_t kept_bytes() const;

 private:
  static constexpr size_t kSizes = 48;

  mutable std::mutex mutex_;
  // By the logarithm of the size.
  std::array<std::vector<char*>, kSizes> free_;
  size_t kept_bytes_ = 0;
  size_t kept_bytes_max_ = 0;
};

}  // namespace viewcount
