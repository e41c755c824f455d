// The time zones of sites, by name.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <string_view>

namespace viewcount {

// Returns true if `name` has the form of an IANA name, such as Asia/Ho_Chi_Minh. It then has at most 64 bytes: words of
// letters, digits, '_', '+' and '-' between slashes. Returns false for paths and for `localtime`, which is a different
// zone on every machine.
bool IsZoneName(std::string_view name);

// Loads a zone from TZDIR, or from /usr/share/zoneinfo if that is not set. Returns false if there is no such zone.
// Never blocks on a special file such as a FIFO. `name` may be any text: the caller decides whether it must be a zone
// name. Thread-safe, but reads the environment.
bool LoadZone(const std::string& name, absl::TimeZone& zone);

}  // namespace viewcount
