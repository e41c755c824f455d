// The form in which a caller wants an answer of JSON: numbers, compression, and whether it has the answer already.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>

#include "service/http/router.h"

namespace viewcount {

// The parameter `numbers=1`, which every route with JSON answers takes.
inline constexpr std::string_view kNumbersParameter = "numbers";

// Returns the JSON of an answer of viewcount.v1 with counts and other 64-bit integers as numbers. Proto3's mapping has
// them as strings. Counts are at most 2^53, so every program reads them exactly. Pure function; thread-safe.
std::string WithNumbers(std::string_view json);

// Brings a successful answer of JSON into the form that the request asks for; other answers stay as they are.
// - `numbers=1` in the query, or as a parameter of application/json in Accept: see WithNumbers.
// - With `cached`, the answer may be kept for a second, and has an ETag. A request with If-None-Match gets 304 if only
//   `asOf` has changed.
// - An answer of at least 1 KiB is compressed for callers that take gzip.
//
// Returns INVALID_ARGUMENT for another value of `numbers`. Thread-safe.
absl::Status ShapeJson(const HttpRequest& request, bool cached, HttpResponse& response);

}  // namespace viewcount
