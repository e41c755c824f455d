// Compressed answers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "service/http/router.h"

namespace viewcount {

// kBest is for content that is compressed once and sent often.
enum class GzipLevel : uint8_t { kFast, kBest };

// Returns `text` in gzip format (RFC 1952). Thread-safe.
std::string Gzip(std::string_view text, GzipLevel level);

// Returns true if the caller accepts answers in gzip format. Thread-safe.
bool TakesGzip(const HttpRequest& request);

}  // namespace viewcount
