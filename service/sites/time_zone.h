// Time zones by name, as sites have them.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <string_view>

namespace viewcount {

// Whether it has the form of an IANA name, such as Asia/Ho_Chi_Minh: words of letters, digits, '_', '+' and '-' between
// slashes, at most 64 bytes. A path, and `localtime`, which is another zone on every machine, have not.
bool IsZoneName(std::string_view name);

// Loads a zone from TZDIR, or from /usr/share/zoneinfo where that is not set. Never waits for a file that is no regular
// one, such as a FIFO. False if there is no such zone. Thread safe; reads the environment. `name` may be any text: the
// caller decides whether it must be a zone name.
bool LoadZone(const std::string& name, absl::TimeZone& zone);

}  // namespace viewcount
