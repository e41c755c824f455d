// A histogram of durations in constant memory, with linear steps within each power of two, as in HdrHistogram.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace viewcount::bench {

// Counts durations from 0 up. The durations that it returns are wrong by less than 1 %. Needs about 60 KiB. Not
// thread-safe.
class Histogram {
 public:
  using Duration = std::chrono::nanoseconds;

  void Record(Duration duration) {
    const auto value = static_cast<uint64_t>(std::max<int64_t>(duration.count(), 0));
    ++counts_[BucketOf(value)];
    ++count_;
    max_ = std::max(max_, value);
  }

  uint64_t count() const { return count_; }
  Duration max() const { return Duration(max_); }

  // Returns the duration that a `share` (0 to 1) of all durations do not exceed. Returns 0 if there are none.
  Duration Quantile(double share) const {
    if (count_ == 0) return Duration(0);
    const auto wanted =
        std::clamp<uint64_t>(static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_))), 1, count_);
    uint64_t seen = 0;
    size_t bucket = 0;
    while ((seen += counts_[bucket]) < wanted) ++bucket;
    return Duration(std::min(MiddleOf(bucket), max_));
  }

 private:
  // A step is 1/128 of its power of two. The middle of a step is wrong by at most half of that.
  static constexpr int kStepBits = 7;
  static constexpr uint64_t kSteps = uint64_t{1} << kStepBits;
  static constexpr size_t kBuckets = (64 - kStepBits + 1) * kSteps;

  // Returns by how many bits a number is shifted so that only its step's bits remain. Small numbers have one bucket
  // each.
  static int ShiftOf(uint64_t value) { return std::max(static_cast<int>(std::bit_width(value)) - kStepBits - 1, 0); }
  static size_t BucketOf(uint64_t value) {
    const int shift = ShiftOf(value);
    return static_cast<size_t>(shift) * kSteps + (value >> shift);
  }
  static uint64_t MiddleOf(size_t bucket) {
    if (bucket < 2 * kSteps) return bucket;
    const size_t shift = bucket / kSteps - 1;
    const uint64_t low = (bucket - shift * kSteps) << shift;
    return low + (uint64_t{1} << shift) / 2;
  }

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

}  // namespace viewcount::bench
