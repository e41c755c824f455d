// A site's settings as the store and the journals hold them: "Asia/Ho_Chi_Minh https://a.example
// http://b.example:8000".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

struct SiteSettings {
  std::string time_zone;
  std::vector<std::string> allowed_origins;
};

// The time zone, then the origins, with a space between: neither holds one, so that a time zone alone is a line too, as
// everything was that was written before there were origins. Pure functions; thread safe.
std::string EncodeSettings(const SiteSettings& settings);
// Takes any line apart; MakeSite tells whether what comes out can be used.
SiteSettings ParseSettings(std::string_view line);

}  // namespace viewcount
