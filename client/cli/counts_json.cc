#include "client/cli/counts_json.h"

#include <absl/time/time.h>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <boost/json.hpp>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "client/cli/counts_day.h"
#include "client/cli/counts_row.h"
#include "client/cli/csv.h"
#include "service/adjustments/transfer_limits.h"
#include "service/base/limits.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

namespace json = boost::json;
using google::protobuf::util::TimeUtil;

constexpr size_t kCountsDepthMax = 8;
constexpr auto kCountMost = kImportViewsMax;

std::string_view Text(json::string_view text) { return {text.data(), text.size()}; }

absl::Status BadField(std::string_view field, std::string_view problem) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", field, problem));
}

// Reads the fields of one object. The first error is kept, and an object must have no other fields than those read.
class FieldReader {
 public:
  FieldReader(const json::object& object, std::string place) : object_(object), place_(std::move(place)) {}

  bool Has(std::string_view name) const { return object_.contains({name.data(), name.size()}); }

  std::optional<std::string_view> TextOf(std::string_view name) {
    const json::value* value = Take(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) return Text(value->get_string());
    Fail(name, "must be a text");
    return std::nullopt;
  }

  // Reads a number of views. `least` is 0 or its opposite.
  int64_t Number(std::string_view name, int64_t least = 0) {
    const json::value* value = Take(name);
    return value == nullptr ? 0 : NumberOf(*value, name, least);
  }

  const json::object* Object(std::string_view name) {
    const json::value* value = Take(name);
    if (value == nullptr) return nullptr;
    if (value->is_object()) return &value->get_object();
    Fail(name, "must be an object");
    return nullptr;
  }

  // Reads an object of days or hours, and adds its numbers to the row.
  void Windows(std::string_view name, v1::CountKind kind, int64_t least, v1::CountRow& row) {
    const json::object* windows = Object(name);
    if (windows == nullptr) return;
    const bool hours = kind == v1::COUNT_KIND_HOUR;
    for (const auto& [key, value] : *windows) {
      const auto number = hours ? ParseCountsHour(Text(key)) : ParseCountsDay(Text(key));
      if (!number) {
        return Fail(name, fmt::format("\"{}\" must be {}", Text(key).substr(0, 40),
                                      hours ? "an hour such as 2026-11-22T13" : "a day such as 2026-11-22"));
      }
      AddCount(kind, *number, NumberOf(value, fmt::format("{}.{}", name, Text(key)), least), row);
    }
  }

  void Ignore(std::string_view name) { Take(name); }
  void Require(std::string_view name) {
    if (!Has(name)) Fail(name, "is missing");
  }
  void Fail(std::string_view name, std::string_view problem) {
    if (status_.ok()) status_ = BadField(place_ + std::string(name), problem);
  }

  // Returns the first error, or an error that names a field which was not read.
  absl::Status Finish() {
    if (!status_.ok()) return status_;
    for (const auto& [key, value] : object_) {
      if (std::ranges::find(taken_, Text(key)) == taken_.end()) {
        return BadField(place_ + std::string(Text(key).substr(0, 40)), "is not known");
      }
    }
    return status_;
  }

 private:
  const json::value* Take(std::string_view name) {
    taken_.push_back(name);
    return object_.if_contains({name.data(), name.size()});
  }

  int64_t NumberOf(const json::value& value, std::string_view name, int64_t least) {
    std::optional<int64_t> number;
    if (value.is_int64()) number = value.get_int64();
    // Larger numbers are of this kind, or floating.
    if (value.is_uint64()) number = kCountMost + 1;
    if (!number) {
      Fail(name, "must be a whole number up to 2^46");
    } else if (*number > kCountMost) {
      Fail(name, "must be at most 2^46, 70368744177664");
    } else if (*number < least) {
      Fail(name, least == 0 ? "must not be below 0" : "must be at least -2^46");
    }
    return status_.ok() ? *number : 0;
  }

  const json::object& object_;
  const std::string place_;
  std::vector<std::string_view> taken_;
  absl::Status status_;
};

absl::StatusOr<CountsItem> HeadOf(const json::object& object) {
  FieldReader fields(object, "");
  SnapshotHead head;
  const int64_t version = fields.Number("viewcountSnapshot");
  if (version != kSnapshotVersion) {
    return BadField("viewcountSnapshot",
                    fmt::format("is {}; this program reads version {}", version, kSnapshotVersion));
  }
  head.site = fields.TextOf("site").value_or("");
  head.time_zone = fields.TextOf("timeZone").value_or("");
  fields.Require("timeZone");
  if (const json::object* earlier = fields.Object("earlierTimeZones"))
    head.earlier_time_zones = json::serialize(*earlier);
  fields.TextOf("time");
  if (auto status = fields.Finish(); !status.ok()) return status;
  return head;
}

absl::StatusOr<CountsItem> SiteRowOf(const json::object& object) {
  FieldReader fields(object, "site.");
  v1::CountRow row;
  AddCount(v1::COUNT_KIND_ALL_TIME, 0, fields.Number("views", -kCountMost), row);
  AddCount(v1::COUNT_KIND_BOTS, 0, fields.Number("botViews", -kCountMost), row);
  fields.Windows("days", v1::COUNT_KIND_DAY, -kCountMost, row);
  fields.Windows("hours", v1::COUNT_KIND_HOUR, -kCountMost, row);
  AddCount(v1::COUNT_KIND_VISITS, 0, fields.Number("visits", -kCountMost), row);
  fields.Windows("visitDays", v1::COUNT_KIND_VISIT_DAY, -kCountMost, row);
  if (auto status = fields.Finish(); !status.ok()) return status;
  return row;
}

absl::StatusOr<CountsItem> ArticleRowOf(const json::object& object, const CountsOptions& options) {
  FieldReader fields(object, "");
  const std::string article_id(fields.TextOf("articleId").value_or(""));
  if (!IsArticleId(article_id)) fields.Fail("articleId", kArticleIdRule);
  const int64_t views = fields.Number("views");
  const int64_t bot_views = fields.Number("botViews");
  // An estimate cannot be added up.
  fields.Ignore("viewers");
  v1::CountRow row;
  row.set_article_id(article_id);
  if (fields.Has("days") || fields.Has("hours")) {
    // A row of a snapshot has each window with its own number.
    AddCount(v1::COUNT_KIND_ALL_TIME, 0, views, row);
    AddCount(v1::COUNT_KIND_BOTS, 0, bot_views, row);
    fields.Windows("days", v1::COUNT_KIND_DAY, 0, row);
    fields.Windows("hours", v1::COUNT_KIND_HOUR, 0, row);
  } else {
    fields.Require("views");
    PlainRow plain{article_id, static_cast<uint64_t>(views), static_cast<uint64_t>(bot_views), options.day};
    if (const auto text = fields.TextOf("day")) {
      const auto day = ParseCountsDay(*text);
      if (!day) fields.Fail("day", "must be a day such as 2026-11-22");
      plain.day = day.value_or(0);
    } else if (options.day == 0 && !options.all_time) {
      fields.Fail("day", "is missing; say --all-time or --day for rows without a day");
    }
    row = RowOfPlain(plain);
  }
  if (auto status = fields.Finish(); !status.ok()) return status;
  return row;
}

absl::StatusOr<CountsItem> AliasOf(const json::object& object) {
  FieldReader fields(object, "");
  SnapshotAlias alias;
  alias.from = fields.TextOf("alias").value_or("");
  alias.into = fields.TextOf("into").value_or("");
  if (!IsArticleId(alias.from)) fields.Fail("alias", kArticleIdRule);
  if (!IsArticleId(alias.into)) fields.Fail("into", kArticleIdRule);
  if (auto status = fields.Finish(); !status.ok()) return status;
  return alias;
}

absl::StatusOr<CountsItem> AnnouncedOf(const json::object& object) {
  FieldReader fields(object, "");
  const json::object* announced = fields.Object("announced");
  if (auto status = fields.Finish(); !status.ok()) return status;
  v1::Article article;
  const auto parsed = google::protobuf::util::JsonStringToMessage(json::serialize(*announced), &article);
  if (!parsed.ok()) {
    return BadField("announced", std::string_view(parsed.message().data(), parsed.message().size()).substr(0, 200));
  }
  if (!IsArticleId(article.article_id())) return BadField("announced.articleId", kArticleIdRule);
  return article;
}

absl::StatusOr<CountsItem> EndOf(const json::object& object) {
  FieldReader outer(object, "");
  const json::object* end = outer.Object("end");
  if (auto status = outer.Finish(); !status.ok()) return status;
  FieldReader fields(*end, "end.");
  SnapshotEnd totals;
  for (const auto& name : {"rows", "views", "aliases", "announced"}) fields.Require(name);
  totals.rows = static_cast<uint64_t>(fields.Number("rows"));
  totals.aliases = static_cast<uint64_t>(fields.Number("aliases"));
  totals.announced = static_cast<uint64_t>(fields.Number("announced"));
  // The sum of all rows may be larger than any count.
  fields.Ignore("views");
  const json::value* views = end->if_contains("views");
  if (views != nullptr && views->is_int64()) {
    totals.views = views->get_int64();
  } else {
    fields.Fail("views", "must be a whole number");
  }
  if (auto status = fields.Finish(); !status.ok()) return status;
  return totals;
}

// Returns a row's counts of one kind as an object.
std::string WindowsText(const v1::CountRow& row, v1::CountKind kind) {
  std::string text;
  for (const auto& count : row.counts()) {
    if (count.kind() != kind) continue;
    const std::string name =
        kind == v1::COUNT_KIND_HOUR ? CountsHourText(count.number()) : CountsDayText(count.number());
    text += fmt::format("{}\"{}\":{}", text.empty() ? "" : ",", name, count.views());
  }
  return "{" + text + "}";
}

int64_t CountIn(const v1::CountRow& row, v1::CountKind kind) {
  int64_t views = 0;
  for (const auto& count : row.counts()) views += count.kind() == kind ? count.views() : 0;
  return views;
}

}  // namespace

absl::StatusOr<CountsItem> ParseCountsLine(std::string_view line, const CountsOptions& options) {
  json::parse_options rules;
  rules.max_depth = kCountsDepthMax;
  json::stream_parser parser({}, rules);
  json::error_code error;
  const size_t read = parser.write_some(line.data(), line.size(), error);
  if (!error) parser.finish(error);
  if (error || read != line.size()) {
    return absl::InvalidArgumentError(fmt::format("column {}: it is no JSON object", std::min(read, line.size()) + 1));
  }
  const json::value value = parser.release();
  const json::object* object = value.if_object();
  if (object == nullptr) return absl::InvalidArgumentError("column 1: it is no JSON object");
  if (object->contains("viewcountSnapshot")) return HeadOf(*object);
  if (object->contains("alias")) return AliasOf(*object);
  if (object->contains("announced")) return AnnouncedOf(*object);
  if (object->contains("end")) return EndOf(*object);
  if (!object->contains("site")) return ArticleRowOf(*object, options);
  FieldReader fields(*object, "");
  const json::object* site = fields.Object("site");
  if (auto status = fields.Finish(); !status.ok()) return status;
  return SiteRowOf(*site);
}

std::string HeadLine(const v1::Site& site, const google::protobuf::Timestamp& time) {
  std::string earlier;
  for (const auto& zone : site.earlier_time_zones()) {
    earlier += fmt::format("{}\"{}\":{}", earlier.empty() ? "" : ",", TimeUtil::ToString(zone.until()),
                           JsonText(zone.time_zone()));
  }
  return fmt::format(
      "{{\"viewcountSnapshot\":{},\"site\":{},\"timeZone\":{},\"earlierTimeZones\":{{{}}},\"time\":\"{}\"}}\n",
      kSnapshotVersion, JsonText(site.name()), JsonText(site.time_zone()), earlier, TimeUtil::ToString(time));
}

std::string RowLine(const v1::CountRow& row) {
  const std::string counts = fmt::format("\"views\":{},\"botViews\":{},\"days\":{},\"hours\":{}",
                                         CountIn(row, v1::COUNT_KIND_ALL_TIME), CountIn(row, v1::COUNT_KIND_BOTS),
                                         WindowsText(row, v1::COUNT_KIND_DAY), WindowsText(row, v1::COUNT_KIND_HOUR));
  if (!row.article_id().empty()) return fmt::format("{{\"articleId\":{},{}}}\n", JsonText(row.article_id()), counts);
  return fmt::format("{{\"site\":{{{},\"visits\":{},\"visitDays\":{}}}}}\n", counts,
                     CountIn(row, v1::COUNT_KIND_VISITS), WindowsText(row, v1::COUNT_KIND_VISIT_DAY));
}

std::string AliasLine(std::string_view from, std::string_view into) {
  return fmt::format("{{\"alias\":{},\"into\":{}}}\n", JsonText(from), JsonText(into));
}

std::string AnnouncedLine(const v1::Article& article) {
  std::string text;
  // It fails for a time out of range only, which no announcement has.
  if (!google::protobuf::util::MessageToJsonString(article, &text).ok()) {
    text = fmt::format("{{\"articleId\":{}}}", JsonText(article.article_id()));
  }
  return fmt::format("{{\"announced\":{}}}\n", text);
}

std::string EndLine(const SnapshotEnd& end) {
  return fmt::format("{{\"end\":{{\"rows\":{},\"views\":{},\"aliases\":{},\"announced\":{}}}}}\n", end.rows, end.views,
                     end.aliases, end.announced);
}

}  // namespace viewcount::cli
