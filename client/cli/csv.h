// Texts in exported files.
#pragma once

#include <string>
#include <string_view>

#include "service/base/csv.h"

namespace viewcount::cli {

// Returns the text as a JSON string, with its quotes. Requires UTF-8. Pure function; thread-safe.
std::string JsonText(std::string_view text);

}  // namespace viewcount::cli
