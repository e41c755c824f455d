// Bars of block characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace viewcount::cli {

// Returns a bar whose length is to `width` characters as `views` is to `most`. Its last character shows eighths. Empty
// if `most` is 0. Pure function; thread-safe.
std::string Bar(uint64_t views, uint64_t most, int width);

// Returns a line with a character for each number, as high as the number is to the largest one. Beyond `width` numbers,
// neighbours are added up. 0 is a dot. Pure function; thread-safe.
std::string Sparkline(const std::vector<uint64_t>& numbers, size_t width);

}  // namespace viewcount::cli
