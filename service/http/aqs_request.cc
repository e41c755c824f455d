#include "service/http/aqs_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <vector>

#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount {
namespace {

constexpr std::array<std::string_view, 4> kAqsAccesses = {kAqsAccess, "desktop", "mobile-app", "mobile-web"};
constexpr std::array<std::string_view, 5> kAqsAgents = {"all-agents", kAqsAgent, "spider", "automated", "bot"};
constexpr std::array<std::string_view, 3> kAqsGranularities = {"hourly", "daily", "monthly"};
// The years of which no message has a time outside its range.
constexpr int64_t kAqsYearMin = 1970;
constexpr int64_t kAqsYearMax = 9998;

std::vector<std::string_view> AqsPartsOf(std::string_view path) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = path.find('/');
    parts.push_back(path.substr(0, end));
    if (end == std::string_view::npos) return parts;
    path.remove_prefix(end + 1);
  }
}

absl::StatusOr<std::string> AqsTextOf(std::string_view name, std::string_view text) {
  std::string unescaped;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      unescaped += text[i];
      continue;
    }
    uint8_t byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() < 2 || error != std::errc() || end != digits.data() + 2) {
      return InvalidField(name, "has a % that two hexadecimal digits do not follow; write % as %25");
    }
    unescaped += static_cast<char>(byte);
    i += 2;
  }
  return unescaped;
}

// Returns the number that consists of exactly these digits, or -1.
int AqsDigitsOf(std::string_view digits) {
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return -1;
  int number = -1;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

std::optional<absl::CivilDay> AqsDayOf(std::string_view year, std::string_view month, std::string_view day) {
  if (year.size() != 4 || month.size() != 2 || day.size() != 2) return std::nullopt;
  const int numbers[] = {AqsDigitsOf(year), AqsDigitsOf(month), AqsDigitsOf(day)};
  if (numbers[0] < kAqsYearMin || numbers[0] > kAqsYearMax || numbers[1] < 0 || numbers[2] < 0) return std::nullopt;
  const absl::CivilDay normal(numbers[0], numbers[1], numbers[2]);
  // A day such as February 30th is normalised to another one.
  if (normal.month() != numbers[1] || normal.day() != numbers[2]) return std::nullopt;
  return normal;
}

absl::StatusOr<absl::CivilHour> AqsHourOf(std::string_view name, std::string_view text, AqsGranularity granularity) {
  const bool hourly = granularity == AqsGranularity::kHourly;
  const auto refused = [&] {
    return InvalidField(name, hourly ? "must be an hour of UTC as YYYYMMDDHH, such as 2026113013"
                                     : "must be a day as YYYYMMDD or YYYYMMDDHH, such as 20261130");
  };
  if (text.size() != 10 && (hourly || text.size() != 8)) return refused();
  const auto day = AqsDayOf(text.substr(0, 4), text.substr(4, 2), text.substr(6, 2));
  const int hour = text.size() == 10 ? AqsDigitsOf(text.substr(8)) : 0;
  if (!day || hour < 0 || hour > 23) return refused();
  return absl::CivilHour(*day) + (hourly ? hour : 0);
}

absl::Status CheckAqsAccess(std::string_view access) {
  if (access == kAqsAccess) return absl::OkStatus();
  if (std::ranges::find(kAqsAccesses, access) == kAqsAccesses.end()) {
    return InvalidField("access", fmt::format("must be {}", kAqsAccess));
  }
  return absl::NotFoundError(
      fmt::format("views are not kept by the means of access; ask for {} in place of {}", kAqsAccess, access));
}

absl::Status CheckAqsAgent(std::string_view agent) {
  if (agent == kAqsAgent) return absl::OkStatus();
  if (std::ranges::find(kAqsAgents, agent) == kAqsAgents.end()) {
    return InvalidField("agent", fmt::format("must be {}, for the views of people", kAqsAgent));
  }
  return absl::NotFoundError(
      fmt::format("views of bots are kept of all time only, not by day; ask for the agent {} in place of {}, and for "
                  "botViews at /v1/sites/SITE/counts?article=ARTICLE",
                  kAqsAgent, agent));
}

absl::StatusOr<AqsGranularity> AqsGranularityOf(std::string_view text, std::span<const std::string_view> known) {
  const auto found = std::ranges::find(known, text);
  if (found == known.end()) return InvalidField("granularity", fmt::format("must be {}", fmt::join(known, " or ")));
  return static_cast<AqsGranularity>(std::ranges::find(kAqsGranularities, text) - kAqsGranularities.begin());
}

// AQS counts whole months only, and leaves out those at the edges of which a part is missing.
absl::Status TakeWholeMonths(AqsViews& question) {
  const absl::CivilDay start(question.start), end(question.end);
  const absl::CivilMonth first = absl::CivilMonth(start) + (start.day() == 1 ? 0 : 1);
  const absl::CivilMonth last(end);
  if (first >= last) {
    return InvalidField("start", "to end has no whole month; begin on the first and end on the last day of a month");
  }
  question.start = absl::CivilHour(first);
  question.end = absl::CivilHour(last);
  return absl::OkStatus();
}

// Fills granularity, start and end.
absl::Status FillAqsSpan(std::span<const std::string_view> parts, std::span<const std::string_view> known,
                         AqsViews& question) {
  const auto granularity = AqsGranularityOf(parts[0], known);
  if (!granularity.ok()) return granularity.status();
  question.granularity = *granularity;
  const auto start = AqsHourOf("start", parts[1], *granularity), end = AqsHourOf("end", parts[2], *granularity);
  if (!start.ok()) return start.status();
  if (!end.ok()) return end.status();
  if (*start > *end) return InvalidField("end", "must not be before the start");
  question.start = *start;
  question.end = *granularity == AqsGranularity::kHourly ? *end + 1 : absl::CivilHour(absl::CivilDay(*end) + 1);
  return *granularity == AqsGranularity::kMonthly ? TakeWholeMonths(question) : absl::OkStatus();
}

absl::Status WrongAqsParts(std::string_view form) {
  return absl::InvalidArgumentError(fmt::format("the path must be …/pageviews/{}", form));
}

}  // namespace

absl::StatusOr<AqsViews> ParseAqsArticle(std::string_view path) {
  const auto parts = AqsPartsOf(path);
  if (parts.size() < 7) {
    return WrongAqsParts("per-article/PROJECT/all-access/user/ARTICLE/daily/YYYYMMDD/YYYYMMDD, or with monthly");
  }
  AqsViews question;
  auto project = AqsTextOf("project", parts[0]);
  if (!project.ok()) return project.status();
  question.project = *std::move(project);
  if (auto status = CheckAqsAccess(parts[1]); !status.ok()) return status;
  if (auto status = CheckAqsAgent(parts[2]); !status.ok()) return status;
  // Some proxies remove the escapes of slashes, so an article may have several parts.
  const size_t last = parts.size() - 3;
  const char* const begin = parts[3].data();
  const char* const end = parts[last - 1].data() + parts[last - 1].size();
  auto article = AqsTextOf("article", std::string_view(begin, end - begin));
  if (!article.ok()) return article.status();
  if (!IsArticleId(*article)) return InvalidField("article", kArticleIdRule);
  question.article = *std::move(article);
  const std::span<const std::string_view> span(parts);
  // AQS has no hours of single articles.
  const auto status = FillAqsSpan(span.subspan(last), std::span(kAqsGranularities).subspan(1), question);
  if (!status.ok()) return status;
  return question;
}

absl::StatusOr<AqsViews> ParseAqsAggregate(std::string_view path) {
  const auto parts = AqsPartsOf(path);
  if (parts.size() != 6) {
    return WrongAqsParts("aggregate/PROJECT/all-access/user/daily/YYYYMMDD/YYYYMMDD, or with hourly or monthly");
  }
  AqsViews question;
  auto project = AqsTextOf("project", parts[0]);
  if (!project.ok()) return project.status();
  question.project = *std::move(project);
  if (auto status = CheckAqsAccess(parts[1]); !status.ok()) return status;
  if (auto status = CheckAqsAgent(parts[2]); !status.ok()) return status;
  const std::span<const std::string_view> span(parts);
  if (auto status = FillAqsSpan(span.subspan(3), kAqsGranularities, question); !status.ok()) return status;
  return question;
}

absl::StatusOr<AqsTop> ParseAqsTop(std::string_view path) {
  const auto parts = AqsPartsOf(path);
  if (parts.size() != 5) return WrongAqsParts("top/PROJECT/all-access/YYYY/MM/DD, or with all-days in place of DD");
  AqsTop question;
  auto project = AqsTextOf("project", parts[0]);
  if (!project.ok()) return project.status();
  question.project = *std::move(project);
  if (auto status = CheckAqsAccess(parts[1]); !status.ok()) return status;
  const bool whole = parts[4] == "all-days";
  const auto day = AqsDayOf(parts[2], parts[3], whole ? "01" : parts[4]);
  if (!day) return InvalidField("day", "must be a day as YYYY/MM/DD, or a month as YYYY/MM/all-days");
  question.month = absl::CivilMonth(*day);
  if (!whole) question.day = *day;
  return question;
}

std::string_view NameOf(AqsGranularity granularity) { return kAqsGranularities[static_cast<size_t>(granularity)]; }

}  // namespace viewcount
