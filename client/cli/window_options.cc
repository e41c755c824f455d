#include "client/cli/window_options.h"

#include <google/protobuf/util/time_util.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>

#include "service/base/duration.h"

namespace viewcount::cli {
namespace {

using google::protobuf::util::TimeUtil;

// Returns a complaint, or nothing.
std::string CheckDay(const std::string& text) {
  if (text == "today") return "";
  bool ok = text.size() == 10;
  for (size_t i = 0; ok && i < text.size(); ++i) {
    ok = i == 4 || i == 7 ? text[i] == '-' : text[i] >= '0' && text[i] <= '9';
  }
  return ok ? "" : "must be YYYY-MM-DD or today";
}

}  // namespace

void AddWindowOptions(CLI::App& command, WindowOptions& options) {
  auto* last =
      command.add_option("--last", options.last, "The last hours, days or weeks with the present one: 24h, 30d, 12w")
          ->type_name("DURATION");
  if (!options.last.empty()) last->capture_default_str();
  auto* day = command.add_option("--day", options.day, "One day in the site's time zone")
                  ->type_name("YYYY-MM-DD|today")
                  ->check(CLI::Validator(CheckDay, ""))
                  ->excludes(last);
  auto* from = command.add_option("--from", options.start, "The first moment")->type_name("TIME");
  auto* to = command.add_option("--to", options.end, "The first moment after the window")->type_name("TIME");
  from->needs(to)->excludes(last)->excludes(day);
  to->needs(from);
}

std::optional<std::chrono::milliseconds> SpanOfTime(const std::string& text) {
  if (!text.ends_with('w')) return ParseDuration(text);
  const auto days = ParseDuration(text.substr(0, text.size() - 1) + "d");
  if (!days) return std::nullopt;
  return *days * 7;
}

absl::Status FillWindow(const WindowOptions& options, v1::Window& window) {
  if (!options.start.empty()) {
    auto& range = *window.mutable_range();
    const bool parsed = TimeUtil::FromString(options.start, range.mutable_start()) &&
                        TimeUtil::FromString(options.end, range.mutable_end());
    if (parsed) return absl::OkStatus();
    return absl::InvalidArgumentError("--from and --to must be times such as 2026-11-30T00:00:00+07:00");
  }
  if (!options.day.empty()) {
    window.set_day(options.day == "today" ? "" : options.day);
    return absl::OkStatus();
  }
  if (options.last.empty()) return absl::OkStatus();
  const auto last = SpanOfTime(options.last);
  if (!last) return absl::InvalidArgumentError("--last must be a duration such as 24h, 30d or 12w");
  *window.mutable_last() = TimeUtil::MillisecondsToDuration(last->count());
  return absl::OkStatus();
}

}  // namespace viewcount::cli
