#include "client/cli/bar.h"

#include <algorithm>
#include <cmath>

namespace viewcount::cli {

std::string Bar(uint64_t views, uint64_t most, int width) {
  if (most == 0) return "";
  constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<uint64_t>(
      std::ceil(static_cast<double>(views) / static_cast<double>(most) * static_cast<double>(width) * 8));
  std::string bar;
  for (uint64_t i = 0; i < eighths / 8; ++i) bar += "█";
  return bar + kEighths[eighths % 8];
}

std::string Sparkline(const std::vector<uint64_t>& numbers, size_t width) {
  constexpr const char* kHeights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const size_t each = std::max<size_t>(1, (numbers.size() + width - 1) / width);
  std::vector<uint64_t> sums((numbers.size() + each - 1) / each);
  for (size_t i = 0; i < numbers.size(); ++i) sums[i / each] += numbers[i];
  const uint64_t most = sums.empty() ? 0 : *std::ranges::max_element(sums);
  std::string line;
  for (const uint64_t sum : sums) {
    // 1 to 8, of which the largest number has 8.
    const double height = std::ceil(8 * static_cast<double>(sum) / static_cast<double>(std::max<uint64_t>(1, most)));
    line += sum == 0 ? "·" : kHeights[std::clamp(static_cast<int>(height), 1, 8) - 1];
  }
  return line;
}

}  // namespace viewcount::cli
