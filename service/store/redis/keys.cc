#include "service/store/redis/keys.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include "service/base/check.h"

namespace viewcount {

namespace keys {
namespace {

std::string NameOf(Window window) {
  switch (window.kind) {
    case Window::Kind::kAllTime:
      return "all";
    case Window::Kind::kDay:
      return fmt::format("d:{:08}", window.number);
    case Window::Kind::kHour: {
      const auto hour = absl::ToCivilHour(absl::FromUnixSeconds(int64_t{window.number} * 3600), absl::UTCTimeZone());
      return fmt::format("h:{:04}{:02}{:02}{:02}", hour.year(), hour.month(), hour.day(), hour.hour());
    }
    case Window::Kind::kBots:
      return "bots";
  }
  VIEWCOUNT_CHECK(false);
}

}  // namespace

std::string Lanes(Shard shard) { return fmt::format("vc:{{{:02}}}:lanes", shard.value); }

std::string Counts(Shard shard, std::string_view site, Window window) {
  return fmt::format("vc:{{{:02}}}:{}:{}", shard.value, site, NameOf(window));
}

std::string Ranking(Shard shard, std::string_view site, Window window) {
  if (window.kind == Window::Kind::kBots) return "";
  return fmt::format("vc:{{{:02}}}:{}:top:{}", shard.value, site, NameOf(window));
}

}  // namespace keys
}  // namespace viewcount
