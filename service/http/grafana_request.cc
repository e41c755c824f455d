#include "service/http/grafana_request.h"

#include <absl/strings/numbers.h>
#include <absl/time/civil_time.h>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/http/grafana_limits.h"
#include "service/sites/retention.h"

namespace viewcount {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;
using google::protobuf::util::TimeUtil;

constexpr char kTargetForm[] =
    "must be `views SITE`, `views SITE ARTICLE` or `top SITE`, or have a payload with `site`";
constexpr std::array<std::pair<std::string_view, v1::SeriesStep>, 4> kGrafanaSteps = {
    {{"hour", v1::SERIES_STEP_HOUR},
     {"day", v1::SERIES_STEP_DAY},
     {"week", v1::SERIES_STEP_WEEK},
     {"month", v1::SERIES_STEP_MONTH}}};

const Value* FieldOfStruct(const Struct& object, const std::string& name) {
  const auto found = object.fields().find(name);
  return found == object.fields().end() ? nullptr : &found->second;
}

// Returns a number that is written as one, or as a text, as the query builder does. Nothing if there is none.
std::optional<double> GrafanaNumber(const Struct& object, const std::string& name) {
  const Value* const value = FieldOfStruct(object, name);
  if (value == nullptr) return std::nullopt;
  if (value->kind_case() == Value::kNumberValue) return value->number_value();
  double number = 0;
  if (value->kind_case() != Value::kStringValue || !absl::SimpleAtod(value->string_value(), &number)) {
    return std::nullopt;
  }
  return number;
}

absl::StatusOr<int64_t> GrafanaTime(const Struct& range, const std::string& name) {
  google::protobuf::Timestamp time;
  const std::string text = GrafanaText(range, name);
  if (text.empty() || !TimeUtil::FromString(text, &time)) {
    return InvalidField("range." + name, "must be a time such as 2026-11-30T00:00:00.000Z");
  }
  const int64_t unix_ms = TimeUtil::TimestampToMilliseconds(time);
  return std::clamp<int64_t>(unix_ms, 0, limits::kEventTimeUnixMsMax);
}

std::string_view TakeWord(std::string_view& text) {
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

absl::Status ReadPayload(const Struct& payload, const std::string& at, GrafanaTarget& target) {
  for (auto [name, to] : {std::pair{"site", &target.site}, std::pair{"article", &target.article}}) {
    if (std::string text = GrafanaText(payload, name); !text.empty()) *to = std::move(text);
  }
  if (const std::string step = GrafanaText(payload, "step"); !step.empty() && step != "auto") {
    const auto known = std::ranges::find(kGrafanaSteps, step, &std::pair<std::string_view, v1::SeriesStep>::first);
    if (known == kGrafanaSteps.end()) {
      return InvalidField(at + ".step", "must be auto, hour, day, week or month");
    }
    target.step = known->second;
  }
  const Value* const given = FieldOfStruct(payload, "limit");
  // A field of the query builder that was left empty.
  if (given == nullptr || (given->kind_case() == Value::kStringValue && given->string_value().empty())) {
    return absl::OkStatus();
  }
  const double limit = GrafanaNumber(payload, "limit").value_or(0);
  if (!(limit >= 1 && limit <= kGrafanaTopMax) || limit != std::floor(limit)) {
    return InvalidField(at + ".limit", fmt::format("must be a whole number from 1 to {}", kGrafanaTopMax));
  }
  target.limit = static_cast<uint32_t>(limit);
  return absl::OkStatus();
}

absl::StatusOr<GrafanaTarget> ReadTarget(const Struct& given, const std::string& at) {
  GrafanaTarget target{.text = GrafanaText(given, "target"), .limit = kGrafanaTopDefault};
  std::string_view rest = target.text;
  const std::string_view kind = TakeWord(rest);
  if (kind != "views" && kind != "top") return InvalidField(at + ".target", kTargetForm);
  target.top = kind == "top";
  target.site = TakeWord(rest);
  target.article = rest;
  // JSON has a payload, and SimpleJson has additional data.
  for (const char* name : {"payload", "data"}) {
    const Value* const more = FieldOfStruct(given, name);
    if (more == nullptr || more->kind_case() != Value::kStructValue) continue;
    auto status = ReadPayload(more->struct_value(), fmt::format("{}.{}", at, name), target);
    if (!status.ok()) return status;
  }
  if (target.site.empty()) return InvalidField(at + ".target", kTargetForm);
  if (target.top && !target.article.empty()) {
    return InvalidField(at + ".target", "of top has a site and no article; views has both");
  }
  if (!target.article.empty() && !IsArticleId(target.article)) {
    return InvalidField(at, fmt::format("has an article that {}", kArticleIdRule));
  }
  return target;
}

int64_t HourAt(int64_t unix_ms) { return unix_ms - unix_ms % kMsOfHour; }

absl::CivilDay PointAt(v1::SeriesStep step, absl::CivilDay day) {
  if (step == v1::SERIES_STEP_WEEK) return absl::PrevWeekday(day + 1, absl::Weekday::monday);
  if (step == v1::SERIES_STEP_MONTH) return absl::CivilDay(absl::CivilMonth(day));
  return day;
}

absl::CivilDay PointAfter(v1::SeriesStep step, absl::CivilDay point) {
  if (step == v1::SERIES_STEP_WEEK) return point + 7;
  if (step == v1::SERIES_STEP_MONTH) return absl::CivilDay(absl::CivilMonth(point) + 1);
  return point + 1;
}

// A series of days, weeks or months, and the number of its points.
struct DaysPlan {
  GrafanaSpan span;
  int64_t points = 0;
};

DaysPlan PlanDays(const TimeSpan& range, v1::SeriesStep step, const Site& site) {
  const absl::CivilDay end =
      PointAfter(step, PointAt(step, DayAt(std::max(range.end_unix_ms - 1, range.start_unix_ms), site)));
  absl::CivilDay begin = PointAt(step, DayAt(range.start_unix_ms, site));
  while (end - begin > kGrafanaSeriesDaysMax) {
    const absl::CivilDay first = end - kGrafanaSeriesDaysMax;
    begin = PointAt(step, first) == first ? first : PointAfter(step, PointAt(step, first));
  }
  // The days of 1970 may begin before 1970 in UTC.
  while (StartOf(begin, site) < 0) begin = PointAfter(step, begin);
  DaysPlan plan{.span = {.step = step, .span = {StartOf(begin, site), StartOf(end, site)}}};
  for (absl::CivilDay at = begin; at < end; at = PointAfter(step, at)) ++plan.points;
  return plan;
}

}  // namespace

absl::StatusOr<Struct> ParseGrafanaBody(std::string_view body) {
  Struct object;
  const auto status = google::protobuf::util::JsonStringToMessage({body.data(), body.size()}, &object);
  if (status.ok()) return object;
  return absl::InvalidArgumentError("the body must be a JSON object, as Grafana's data source JSON sends it");
}

std::string GrafanaText(const Struct& object, const std::string& name) {
  const Value* const value = FieldOfStruct(object, name);
  return value == nullptr || value->kind_case() != Value::kStringValue ? "" : value->string_value();
}

absl::StatusOr<GrafanaQuery> ReadGrafanaQuery(const Struct& body) {
  GrafanaQuery query;
  const Value* const range = FieldOfStruct(body, "range");
  if (range == nullptr || range->kind_case() != Value::kStructValue) {
    return InvalidField("range", "must have the times `from` and `to`");
  }
  const auto from = GrafanaTime(range->struct_value(), "from"), to = GrafanaTime(range->struct_value(), "to");
  if (!from.ok()) return from.status();
  if (!to.ok()) return to.status();
  if (*from > *to) return InvalidField("range.to", "must not be before `from`");
  query.range = {*from, *to};
  const double points = GrafanaNumber(body, "maxDataPoints").value_or(kGrafanaPointsMax);
  // The comparison is false for a number that is none.
  query.points_max = points >= 1 && points < kGrafanaPointsMax ? static_cast<int64_t>(points) : kGrafanaPointsMax;
  const Value* const targets = FieldOfStruct(body, "targets");
  if (targets == nullptr || targets->kind_case() != Value::kListValue) {
    return InvalidField("targets", "must be a list");
  }
  int number = 0;
  for (const Value& given : targets->list_value().values()) {
    const std::string at = fmt::format("targets[{}]", number++);
    if (given.kind_case() != Value::kStructValue) return InvalidField(at, "must be an object with `target`");
    const Value* const hidden = FieldOfStruct(given.struct_value(), "hide");
    if (hidden != nullptr && hidden->bool_value()) continue;
    // An editor that has just been opened has no target yet.
    if (GrafanaText(given.struct_value(), "target").empty()) continue;
    if (query.targets.size() == kGrafanaTargetsMax) {
      return InvalidField("targets", fmt::format("may be {}; divide them among several panels", kGrafanaTargetsMax));
    }
    auto target = ReadTarget(given.struct_value(), at);
    if (!target.ok()) return target.status();
    query.targets.push_back(*std::move(target));
  }
  return query;
}

GrafanaSpan GrafanaSeriesSpan(const TimeSpan& range, int64_t points_max, std::optional<v1::SeriesStep> step,
                              const Site& site, int64_t now_unix_ms) {
  if (range.start_unix_ms > now_unix_ms) return {};
  TimeSpan past{range.start_unix_ms, std::min(range.end_unix_ms, now_unix_ms + 1)};
  if (const auto first_day = FirstKeptDay(site, now_unix_ms)) {
    const int64_t first = StartOf(*first_day, site);
    if (past.end_unix_ms <= first) return {};
    past.start_unix_ms = std::max(past.start_unix_ms, first);
  }
  const int64_t first_hour = FirstKeptHour(site.settings, now_unix_ms);
  if (!step || *step == v1::SERIES_STEP_HOUR) {
    const TimeSpan hours{std::max(HourAt(past.start_unix_ms), first_hour),
                         HourAt(std::max(past.end_unix_ms - 1, past.start_unix_ms)) + kMsOfHour};
    const bool whole = HourAt(past.start_unix_ms) >= first_hour;
    const bool fits = (hours.end_unix_ms - hours.start_unix_ms) / kMsOfHour <= points_max;
    if (step && hours.start_unix_ms >= hours.end_unix_ms) return {};
    if (step || (whole && fits)) return {.step = v1::SERIES_STEP_HOUR, .span = hours};
  }
  if (step) return PlanDays(past, *step, site).span;
  for (const auto longer : {v1::SERIES_STEP_DAY, v1::SERIES_STEP_WEEK}) {
    const DaysPlan plan = PlanDays(past, longer, site);
    if (plan.points <= points_max) return plan.span;
  }
  return PlanDays(past, v1::SERIES_STEP_MONTH, site).span;
}

TimeSpan GrafanaTopSpan(const TimeSpan& range, const Site& site, int64_t now_unix_ms) {
  if (range.start_unix_ms > now_unix_ms) return {};
  const int64_t last = std::max(std::min(range.end_unix_ms - 1, now_unix_ms), range.start_unix_ms);
  if (HourAt(range.start_unix_ms) >= FirstKeptHour(site.settings, now_unix_ms)) {
    return {HourAt(range.start_unix_ms), HourAt(last) + kMsOfHour};
  }
  const absl::CivilDay end = DayAt(last, site) + 1;
  absl::CivilDay begin = std::max(DayAt(range.start_unix_ms, site), end - kGrafanaTopDaysMax);
  while (StartOf(begin, site) < 0) ++begin;
  if (const auto first_day = FirstKeptDay(site, now_unix_ms)) begin = std::max(begin, *first_day);
  if (begin >= end) return {};
  return {StartOf(begin, site), StartOf(end, site)};
}

}  // namespace viewcount
