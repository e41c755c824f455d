// Writes numbers as the readers of a language group their digits: 1,234 in English, 1.234 in Vietnamese.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace viewcount {

// How a language groups digits. A value type.
struct DigitGrouping {
  // UTF-8, as a constant of the program.
  std::string_view separator = ",";
  // Numbers with fewer digits are not grouped.
  size_t digits_min = 4;
  // The number of digits in each group except the last one, which has three.
  size_t group = 3;
};

// Returns the grouping of a language, or nullopt if it is unknown or usually written with other digits than 0 to 9.
// `language` is a tag as in an HTML page's lang, such as vi, en-GB or pt_PT. A region that is unknown is ignored. Pure
// function; thread-safe.
std::optional<DigitGrouping> DigitGroupingOf(std::string_view language);

// Returns the number in decimal. Pure function; thread-safe.
std::string Grouped(uint64_t number, const DigitGrouping& grouping);

}  // namespace viewcount
