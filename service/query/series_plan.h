// The points of a series, and the windows whose views belong to each of them. Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "service/model/window.h"
#include "service/sites/site.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

struct SeriesPlan {
  struct Point {
    // The first moment, Unix milliseconds.
    int64_t start_unix_ms = 0;
    // The first day. Nothing for an hour.
    std::optional<absl::CivilDay> day = {};
    // The number of windows of this point. They follow those of the point before.
    size_t windows = 0;
  };
  // In order of time, without gaps.
  std::vector<Point> points;
  // Hours or days, each once.
  std::vector<Window> windows;
};

// Plans the series of a request at `now_unix_ms`. The last point is the one that contains `now`, even if the window
// ends later.
//
// A point of an hour is a UTC hour. Other points consist of days of the site's time zone. INVALID_ARGUMENT names the
// field of the request and the nearest window that can be answered. The edges must lie between two points, hours and
// days must still be kept (service/sites/retention.h), and there may be limits::kSeriesPointsMax hours or days.
absl::StatusOr<SeriesPlan> PlanSeries(const v1::GetSeriesRequest& request, const Site& site, int64_t now_unix_ms);

// Plans the points that correspond to those of `plan`, the plan of this request: as many points before them, or those
// of a year before (GetSeriesRequest.with_year_before). All of them are whole. INVALID_ARGUMENT names the field of the
// request if they are not kept.
absl::StatusOr<SeriesPlan> PlanPointsBefore(const v1::GetSeriesRequest& request, const SeriesPlan& plan,
                                            const Site& site, int64_t now_unix_ms);
absl::StatusOr<SeriesPlan> PlanYearBefore(const v1::GetSeriesRequest& request, const SeriesPlan& plan, const Site& site,
                                          int64_t now_unix_ms);

}  // namespace viewcount
