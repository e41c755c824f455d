// Bars of block characters.
#pragma once

#include <cstdint>
#include <string>

namespace viewcount::cli {

// Returns a bar whose length is to `width` characters as `views` is to `most`. Its last character shows eighths. Empty
// if `most` is 0. Pure function; thread-safe.
std::string Bar(uint64_t views, uint64_t most, int width);

}  // namespace viewcount::cli
