// What a portal chose for itself, and its spelling as one line, which the store and the journals hold:
// "Asia/Ho_Chi_Minh https://a.example cool-down=1800 exclude=10.0.0.0/8".
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// Regular; the defaults are those of a site that chose nothing.
struct SiteSettings {
  // IANA name; "UTC" by default.
  std::string time_zone;
  // As NormalizedOrigins has them. None means any.
  std::vector<std::string> allowed_origins = {};
  // A known viewer's view of an article counts once in so long, up to limits::kCoolDownMax; 0: each counts.
  std::chrono::seconds cool_down{0};
  // IP addresses and CIDR ranges whose views over HTTP do not count, each once, in order.
  std::vector<std::string> excluded_addresses = {};
  // Browsers' views count only for articles that the portal announced.
  bool announced_articles_only = false;

  bool operator==(const SiteSettings&) const = default;
};

// With defaults filled in, lists in order. INVALID_ARGUMENT naming the field of viewcount.v1.Site that is out of its
// limits; whether the time zone is one is for MakeSite to tell. Pure; thread safe.
absl::StatusOr<SiteSettings> CheckedSettings(SiteSettings settings);

// The time zone, then the origins, then what has a name, with a space between: none of them holds one, so that a time
// zone alone is a line too, as everything was that was written before there was more. Pure functions; thread safe.
std::string EncodeSettings(const SiteSettings& settings);
// Takes any line apart; MakeSite tells whether what comes out can be used.
SiteSettings ParseSettings(std::string_view line);

// What its lists take in a journal.
size_t ListBytesOf(const SiteSettings& settings);

}  // namespace viewcount
