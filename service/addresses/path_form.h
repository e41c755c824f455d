// The steps that bring the path of an address into its normal form, after NormalText, and patterns of paths.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace viewcount {

// Removes `;jsessionid=…` and ASP.NET's session segments, such as `(S(abc))`, from a path. Pure function; thread-safe.
std::string WithoutSessions(std::string_view path);

// Removes the segments `.` and `..` as RFC 3986, section 5.2.4, states. `path` begins with a slash, and so does the
// result. Pure function; thread-safe.
std::string WithoutDotSegments(std::string_view path);

// Replaces repeated slashes by one. Pure function; thread-safe.
std::string WithoutRepeatedSlashes(std::string_view path);

// Removes the last segment while it is one of `index_names`, compared without case. If `strip_slash`, also removes
// slashes at the end. `path` begins with a slash, and so does the result. Pure function; thread-safe.
std::string_view WithoutIndex(std::string_view path, std::span<const std::string> index_names, bool strip_slash);

// Returns the extension of the path's last segment in small letters and without the dot. Empty if it has none. Pure
// function; thread-safe.
std::string ExtensionOf(std::string_view path);

// Returns true if the whole path matches the pattern, in which * stands for any number of any characters. Slashes at
// the end do not matter, so /a/* also matches /a. Takes time in proportion to the product of the lengths. Pure
// function; thread-safe.
bool MatchesPath(std::string_view pattern, std::string_view given);

}  // namespace viewcount
