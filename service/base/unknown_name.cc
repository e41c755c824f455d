#include "service/base/unknown_name.h"

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace viewcount {
namespace {

// The text comes from a request, and its end hardly matters.
constexpr size_t kComparedMax = 64;

// Wagner and Fischer, "The string-to-string correction problem", 1974, with one row of the table.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (absl::ascii_tolower(a[i]) == absl::ascii_tolower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view NearestName(std::string_view name, std::span<const std::string_view> known, size_t distance_max) {
  std::string_view nearest;
  size_t least = std::numeric_limits<size_t>::max();
  for (const std::string_view one : known) {
    const size_t distance = Distance(name, one);
    if (distance >= least || distance > distance_max) continue;
    least = distance;
    nearest = one;
  }
  return nearest;
}

std::string UnknownName(std::string_view name, std::span<const std::string_view> known) {
  if (known.empty()) return "is not known; none is";
  return fmt::format("is not known; did you mean {}? Known are {}", NearestName(name.substr(0, kComparedMax), known),
                     fmt::join(known, ", "));
}

}  // namespace viewcount
