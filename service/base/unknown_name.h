// Describes a name that is not known, such as that of a flag or a parameter, so that its author finds the right one.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace viewcount {

// Returns the known name with the least Levenshtein distance from `name`, or nothing if all are further away than
// `distance_max`. Capital letters do not matter. Takes time in proportion to the product of the lengths. Pure function;
// thread-safe.
std::string_view NearestName(std::string_view name, std::span<const std::string_view> known,
                             size_t distance_max = std::numeric_limits<size_t>::max());

// Returns the description for an error: "is not known; did you mean X? Known are X, Y". Compares only the beginning of
// a long name. Pure function; thread-safe.
std::string UnknownName(std::string_view name, std::span<const std::string_view> known);

}  // namespace viewcount
