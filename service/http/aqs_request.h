// The paths of the Wikimedia Analytics Query Service (AQS), as existing clients send them.
// See https://doc.wikimedia.org/generated-data-platform/aqs/analytics-api/
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace viewcount {

enum class AqsGranularity : uint8_t { kHourly, kDaily, kMonthly };

// A question for views by time. A value type.
struct AqsViews {
  std::string project;
  // Nothing for the views of the whole project.
  std::optional<std::string> article;
  AqsGranularity granularity = AqsGranularity::kDaily;
  // The first hour, and the first hour after the span: hours of UTC with kHourly, else beginnings of days of the site.
  // With kMonthly both are beginnings of months.
  absl::CivilHour start;
  absl::CivilHour end;
};

// A question for the most viewed articles of a day, or of a month. A value type.
struct AqsTop {
  std::string project;
  absl::CivilMonth month;
  // Nothing for the whole month.
  std::optional<absl::CivilDay> day;
};

// The words of AQS for the views that are kept by time: those of people, by any means of access.
inline constexpr std::string_view kAqsAccess = "all-access";
inline constexpr std::string_view kAqsAgent = "user";

// Parse the part of a path after "per-article/", "aggregate/" or "top/". An article may contain "/" with and without
// its escape. INVALID_ARGUMENT means that AQS would refuse the path too. NOT_FOUND means that AQS has such views, but
// they are not kept here. Both messages say what to ask for instead. Pure functions; thread-safe.
absl::StatusOr<AqsViews> ParseAqsArticle(std::string_view path);
absl::StatusOr<AqsViews> ParseAqsAggregate(std::string_view path);
absl::StatusOr<AqsTop> ParseAqsTop(std::string_view path);

// Returns the word of AQS for a granularity.
std::string_view NameOf(AqsGranularity granularity);

}  // namespace viewcount
