// Records a run: a fingerprint by which two runs are compared, and the last events as text.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/hash.h"

namespace viewcount::simulation {

// The record of one run. Not thread-safe. Text costs time, so it is kept on request only: a failed run is repeated with
// text.
class Trace {
 public:
  enum class Words : uint8_t { kNone, kLast, kPrint };
  explicit Trace(Words words) : words_(words) {}

  template <typename... Numbers>
  void Note(std::string_view event, Numbers... numbers) {
    fingerprint_ = Hash64(event, fingerprint_);
    ((fingerprint_ = (fingerprint_ ^ static_cast<uint64_t>(numbers)) * 0x9E3779B97F4A7C15), ...);
    ++events_;
    if (words_ == Words::kNone) return;
    std::string line = fmt::format("{:6} {}", events_, event);
    ((line += fmt::format(" {}", numbers)), ...);
    Keep(std::move(line));
  }

  uint64_t fingerprint() const { return fingerprint_; }
  uint64_t events() const { return events_; }
  bool in_words() const { return words_ != Words::kNone; }
  const std::deque<std::string>& last() const { return last_; }
  // Adds a line that is not an event.
  void Keep(std::string line) {
    if (words_ == Words::kNone) return;
    if (words_ == Words::kPrint) fmt::print("{}\n", line);
    last_.push_back(std::move(line));
    if (last_.size() > kLast) last_.pop_front();
  }

 private:
  static constexpr size_t kLast = 80;
  const Words words_;
  uint64_t fingerprint_ = 0;
  uint64_t events_ = 0;
  std::deque<std::string> last_;
};

}  // namespace viewcount::simulation
