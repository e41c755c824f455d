#include "service/store/redis/keys.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include <charconv>

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

std::string Totals(Shard shard) { return fmt::format("vc:{{{:02}}}:totals", shard.value); }

std::string Notes(Shard shard, std::string_view site) {
  return fmt::format("vc:{{{:02}}}:{}:adjustments", shard.value, site);
}

std::string Counts(Shard shard, std::string_view site, Window window) {
  return fmt::format("vc:{{{:02}}}:{}:{}", shard.value, site, NameOf(window));
}

std::optional<Window> WindowOfName(std::string_view name) {
  if (name == "all") return Window{Window::Kind::kAllTime, 0};
  if (name == "bots") return Window{Window::Kind::kBots, 0};
  if (name.size() < 3 || name[1] != ':') return std::nullopt;
  const std::string_view digits = name.substr(2);
  uint32_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  if (name[0] == 'd' && digits.size() == 8) return Window{Window::Kind::kDay, number};
  if (name[0] != 'h' || digits.size() != 10) return std::nullopt;
  const absl::CivilHour hour(number / 1'000'000, number / 10'000 % 100, number / 100 % 100, number % 100);
  const int64_t seconds = absl::ToUnixSeconds(absl::FromCivil(hour, absl::UTCTimeZone()));
  const Window window{Window::Kind::kHour, static_cast<uint32_t>(seconds / 3600)};
  // Not an hour that there is.
  if (seconds < 0 || NameOf(window) != name) return std::nullopt;
  return window;
}

std::string Ranking(Shard shard, std::string_view site, Window window) {
  if (window.kind == Window::Kind::kBots) return "";
  return fmt::format("vc:{{{:02}}}:{}:top:{}", shard.value, site, NameOf(window));
}

}  // namespace keys
}  // namespace viewcount
