// A report on the views of a site in a window: the numbers, apart from their form.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "service/sites/day_zones.h"

namespace viewcount::cli {

// The time from `start` to `end`.
struct ReportSpan {
  absl::Time start;
  // The first moment after it.
  absl::Time end;
};

// A number in the window, and in the window before if that is known.
struct ReportNumber {
  uint64_t now = 0;
  std::optional<uint64_t> before = {};
};

struct ReportPoint {
  absl::Time start;
  uint64_t views = 0;
};

struct ReportArticle {
  uint32_t rank = 0;
  std::string id = {};
  // As announced; may be empty.
  std::string title = {};
  std::string url = {};
  // The main section.
  std::string section = {};
  ReportNumber views = {};
  // 0 if it is not known.
  uint32_t rank_before = 0;
};

// A section or an author. An empty name stands for articles without any.
struct ReportLabel {
  std::string name = {};
  ReportNumber views = {};
};

// The sums over an announced list of labels.
struct ReportSums {
  std::vector<ReportLabel> sections = {};
  std::vector<ReportLabel> authors = {};
};

// A plain value.
struct Report {
  std::string site = {};
  std::string zone_name = {};
  absl::TimeZone zone = {};
  // The time zones of the days; the last one is `zone`.
  DayZones days = {};
  ReportSpan span = {};
  // True if the window consists of whole days of the site.
  bool of_days = false;
  // True if the points are hours, not days.
  bool by_hour = false;
  // The time of the oldest number.
  absl::Time as_of = {};
  bool exact = false;
  // The sum of the points.
  ReportNumber views = {};
  // Known only for the windows for which the service has them.
  std::optional<uint64_t> visits = {};
  std::optional<uint64_t> viewers = {};
  // The relative standard error of `viewers`.
  double viewers_error = 0;
  std::vector<ReportPoint> points = {};
  // The most viewed articles that are shown.
  std::vector<ReportArticle> articles = {};
  // Sums over the most viewed articles, of which there are `listed_articles` with `listed_views`. An article counts in
  // its main section, and for each of its authors.
  ReportSums sums = {};
  uint64_t listed_articles = 0;
  uint64_t listed_views = 0;
  // The window before, if it was requested and could be read.
  std::optional<ReportSpan> before = {};
  // Why the window before could not be read. Empty otherwise.
  std::string before_problem = {};

  bool unfinished() const { return as_of < span.end; }
};

}  // namespace viewcount::cli
