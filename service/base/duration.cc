#include "service/base/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <ranges>
#include <string>

namespace viewcount {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  milliseconds length;
};
// The units, from the shortest to the longest.
constexpr std::array<Unit, 5> kUnits = {{{"ms", milliseconds(1)},
                                         {"s", std::chrono::seconds(1)},
                                         {"m", std::chrono::minutes(1)},
                                         {"h", std::chrono::hours(1)},
                                         {"d", std::chrono::hours(24)}}};

}  // namespace

std::optional<milliseconds> ParseDuration(std::string_view text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  // This maximum is far above any limit of the service, and far below an overflow of the products.
  if (error != std::errc() || number < 0 || number > 1'000'000'000) return std::nullopt;
  const std::string_view name(stop, static_cast<size_t>(end - stop));
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return number * unit.length;
  }
  return std::nullopt;
}

std::string FormatDuration(milliseconds duration) {
  if (duration.count() == 0) return "0s";
  for (const Unit& unit : kUnits | std::views::reverse) {
    if (duration % unit.length == milliseconds(0)) return std::to_string(duration / unit.length).append(unit.name);
  }
  return {};
}

}  // namespace viewcount
