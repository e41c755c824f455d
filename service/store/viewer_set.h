// The sets of viewers that the store keeps, and the viewers to add to them.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "service/base/limits.h"

namespace viewcount {

// Names one of a site's sets of viewers: those of an article, of the site, of one of its days, or of a short time.
struct ViewerSetName {
  enum class Kind : uint8_t { kArticle, kAllTime, kDay, kOnline };
  Kind kind = Kind::kAllTime;
  // The day in the form of DayNumber, or the number of spans of limits::kOnlineSlot since 1970; 0 for the other kinds.
  uint32_t number = 0;
  // The article, for kArticle only. The caller owns the text.
  std::string_view article_id = {};

  auto operator<=>(const ViewerSetName&) const = default;
};

// Returns the number of the kOnline set that contains a time.
inline uint32_t OnlineSlotOf(int64_t unix_ms) {
  return static_cast<uint32_t>(unix_ms / std::chrono::milliseconds(limits::kOnlineSlot).count());
}

// The viewers to add to a set. The caller owns `site`.
struct ViewerSet {
  std::string_view site;
  ViewerSetName name;
  std::vector<uint64_t> viewers;
};

// The relative standard error of estimated numbers of viewers. HyperLogLog with the 2^14 registers that Redis uses has
// an error of 1.04 / sqrt(2^14). (Flajolet et al., "HyperLogLog: the analysis of a near-optimal cardinality estimation
// algorithm".)
inline constexpr double kViewersStandardError = 0.008125;

}  // namespace viewcount
