#include "service/lane/block_pool.h"

#include <sys/mman.h>

#include <bit>
#include <new>

#include "service/base/check.h"

namespace viewcount {
namespace {

constexpr size_t kLineBytes = 64;
// The size of a huge page on x86-64 and on most arm64 systems.
constexpr size_t kHugePageBytes = size_t{2} << 20;

char* Allocate(size_t bytes) {
  const size_t alignment = bytes >= kHugePageBytes ? kHugePageBytes : kLineBytes;
  char* const block = static_cast<char*>(::operator new(bytes, std::align_val_t(alignment)));
  // Without huge pages, tables that are read at random would miss the TLB with nearly every view. The call is only
  // advice to the kernel: nothing depends on its success.
  if (bytes >= kHugePageBytes) madvise(block, bytes, MADV_HUGEPAGE);
  return block;
}

void Free(char* block, size_t bytes) {
  ::operator delete(block, std::align_val_t(bytes >= kHugePageBytes ? kHugePageBytes : kLineBytes));
}

}  // namespace

BlockPool::~BlockPool() { KeepAtMost(0); }

char* BlockPool::Take(size_t bytes) {
  VIEWCOUNT_CHECK(std::has_single_bit(bytes) && bytes >= kBlockBytesMin);
  {
    const MutexLock lock(mutex_);
    auto& free = free_[std::countr_zero(bytes)];
    if (!free.empty()) {
      char* const block = free.back();
      free.pop_back();
      kept_bytes_ -= bytes;
      return block;
    }
  }
  return Allocate(bytes);
}

void BlockPool::Give(char* block, size_t bytes) {
  {
    const MutexLock lock(mutex_);
    if (kept_bytes_ + bytes <= kept_bytes_max_) {
      free_[std::countr_zero(bytes)].push_back(block);
      kept_bytes_ += bytes;
      return;
    }
  }
  Free(block, bytes);
}

void BlockPool::KeepAtMost(size_t bytes) {
  const MutexLock lock(mutex_);
  kept_bytes_max_ = bytes;
  for (size_t size = 0; size < kSizes && kept_bytes_ > kept_bytes_max_; ++size) {
    while (!free_[size].empty() && kept_bytes_ > kept_bytes_max_) {
      Free(free_[size].back(), size_t{1} << size);
      free_[size].pop_back();
      kept_bytes_ -= size_t{1} << size;
    }
  }
}

size_t BlockPool::kept_bytes() const {
  const MutexLock lock(mutex_);
  return kept_bytes_;
}

}  // namespace viewcount
