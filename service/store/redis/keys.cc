#include "service/store/redis/keys.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include <charconv>

#include "service/base/check.h"

namespace viewcount {

namespace keys {
namespace {

constexpr std::string_view kVisitDay = "visits:d:";

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
    case Window::Kind::kVisits:
      return "visits";
    case Window::Kind::kVisitDay:
      return fmt::format("{}{:08}", kVisitDay, window.number);
    case Window::Kind::kViewers:
      // The viewers of an article are sets, not a hash: see Viewers.
      break;
  }
  VIEWCOUNT_CHECK(false);
}

std::string NameOf(const ViewerSetName& set) {
  switch (set.kind) {
    case ViewerSetName::Kind::kArticle:
      return fmt::format("a:{}", set.article_id);
    case ViewerSetName::Kind::kAllTime:
      return "all";
    case ViewerSetName::Kind::kDay:
      return fmt::format("d:{:08}", set.number);
    case ViewerSetName::Kind::kOnline:
      return fmt::format("o:{}", set.number);
  }
  VIEWCOUNT_CHECK(false);
}

// Returns the number if `digits` consists of nothing else.
std::optional<uint32_t> NumberOf(std::string_view digits) {
  uint32_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string Lanes(Shard shard) { return fmt::format("vc:{{{:02}}}:lanes", shard.value); }

std::string Totals(Shard shard) { return fmt::format("vc:{{{:02}}}:totals", shard.value); }

std::string Notes(Shard shard, std::string_view site) {
  return fmt::format("vc:{{{:02}}}:{}:adjustments", shard.value, site);
}

std::string Articles(Shard shard, std::string_view site) {
  return fmt::format("vc:{{{:02}}}:{}:articles", shard.value, site);
}

std::string PageArticles(Shard shard, std::string_view site) {
  return fmt::format("vc:{{{:02}}}:{}:pages", shard.value, site);
}

std::string Imports(Shard shard, std::string_view site) {
  return fmt::format("vc:{{{:02}}}:{}:imports", shard.value, site);
}

std::string Annotations(Shard shard, std::string_view site) {
  return fmt::format("vc:{{{:02}}}:{}:annotations", shard.value, site);
}

std::string Publications(Shard shard, std::string_view site) {
  return fmt::format("vc:{{{:02}}}:{}:published", shard.value, site);
}

std::string Counts(Shard shard, std::string_view site, Window window) {
  return fmt::format("vc:{{{:02}}}:{}:{}", shard.value, site, NameOf(window));
}

std::string Viewers(Shard shard, std::string_view site, const ViewerSetName& set) {
  return fmt::format("vc:{{{:02}}}:{}:viewers:{}", shard.value, site, NameOf(set));
}

std::optional<Window> WindowOfName(std::string_view name) {
  if (name == "all") return Window{Window::Kind::kAllTime, 0};
  if (name == "bots") return Window{Window::Kind::kBots, 0};
  if (name == "visits") return Window{Window::Kind::kVisits, 0};
  const bool of_visits = name.starts_with(kVisitDay);
  if (!of_visits && (name.size() < 3 || name[1] != ':')) return std::nullopt;
  const std::string_view digits = name.substr(of_visits ? kVisitDay.size() : 2);
  const auto number = NumberOf(digits);
  if (!number) return std::nullopt;
  if (digits.size() == 8 && (of_visits || name[0] == 'd')) {
    return Window{of_visits ? Window::Kind::kVisitDay : Window::Kind::kDay, *number};
  }
  if (name[0] != 'h' || digits.size() != 10) return std::nullopt;
  const absl::CivilHour hour(*number / 1'000'000, *number / 10'000 % 100, *number / 100 % 100, *number % 100);
  const int64_t seconds = absl::ToUnixSeconds(absl::FromCivil(hour, absl::UTCTimeZone()));
  const Window window{Window::Kind::kHour, static_cast<uint32_t>(seconds / 3600)};
  // No such hour exists.
  if (seconds < 0 || NameOf(window) != name) return std::nullopt;
  return window;
}

std::string Ranking(Shard shard, std::string_view site, Window window) {
  if (window.kind != Window::Kind::kAllTime && window.kind != Window::Kind::kDay &&
      window.kind != Window::Kind::kHour) {
    return "";
  }
  return fmt::format("vc:{{{:02}}}:{}:top:{}", shard.value, site, NameOf(window));
}

}  // namespace keys
}  // namespace viewcount
