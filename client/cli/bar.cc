#include "client/cli/bar.h"

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

}  // namespace viewcount::cli
