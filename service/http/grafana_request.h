// The questions that Grafana's data sources SimpleJson and JSON (simpod) send.
// See https://github.com/grafana/simple-json-datasource and https://github.com/simPod/GrafanaJsonDatasource
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/struct.pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/query/window.h"
#include "service/sites/site.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// One line or table of a panel. A value type.
struct GrafanaTarget {
  // The target as Grafana sent it, by which it names the result.
  std::string text;
  std::string site;
  // Empty for the whole site.
  std::string article;
  // True for a table of the most viewed articles, false for views by time.
  bool top = false;
  // The number of articles in a table.
  uint32_t limit = 0;
  // Nothing for a step that suits the panel.
  std::optional<v1::SeriesStep> step;
};

// A value type.
struct GrafanaQuery {
  TimeSpan range;
  // The number of points for which the panel has room, from 1 to kGrafanaPointsMax.
  int64_t points_max = 0;
  std::vector<GrafanaTarget> targets;
};

// Parses a body as a JSON object. Fields that are not known are ignored, because each version of Grafana sends others.
// INVALID_ARGUMENT for any other text. Thread-safe.
absl::StatusOr<google::protobuf::Struct> ParseGrafanaBody(std::string_view body);
// Returns the text of a field, or an empty one if it is absent or no text. Thread-safe.
std::string GrafanaText(const google::protobuf::Struct& object, const std::string& name);

// Reads the body of /query. A target is `views SITE`, `views SITE ARTICLE` or `top SITE`. Site, article, step and limit
// may instead stand in the target's `payload`, or in its `data`. INVALID_ARGUMENT names the field. Thread-safe.
absl::StatusOr<GrafanaQuery> ReadGrafanaQuery(const google::protobuf::Struct& body);

// The part of a range that can be answered, and its step.
struct GrafanaSpan {
  v1::SeriesStep step = v1::SERIES_STEP_DAY;
  // Both lie between two points of the step. Empty if the range has no time in the past.
  TimeSpan span;
};

// Returns the span of a series: the range, extended to whole points, without the time before what is kept, and without
// the future. Without a step it takes the shortest one that is kept for the whole range and has at most `points_max`
// points. Pure function.
GrafanaSpan GrafanaSeriesSpan(const TimeSpan& range, int64_t points_max, std::optional<v1::SeriesStep> step,
                              const Site& site, int64_t now_unix_ms);
// Returns the span of a list: whole hours of UTC if all of them are kept, else whole days of the site, up to
// kGrafanaTopDaysMax. Pure function.
TimeSpan GrafanaTopSpan(const TimeSpan& range, const Site& site, int64_t now_unix_ms);

}  // namespace viewcount
