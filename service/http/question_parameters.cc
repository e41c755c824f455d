#include "service/http/question_parameters.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <charconv>
#include <string>

#include "service/base/duration.h"
#include "service/base/status.h"

namespace viewcount {

using google::protobuf::util::TimeUtil;

absl::StatusOr<bool> SwitchOf(const Parameters& parameters, const char* name) {
  const std::string value = parameters.Find(name).value_or("false");
  if (value == "true" || value == "false") return value == "true";
  return InvalidField(name, "must be true or false");
}

absl::StatusOr<std::optional<uint32_t>> NumberOf(const Parameters& parameters, const char* name) {
  const auto text = parameters.Find(name);
  if (!text) return std::nullopt;
  uint32_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stop != end) return InvalidField(name, "must be a whole number");
  return number;
}

absl::StatusOr<std::optional<int64_t>> DurationOf(const Parameters& parameters, const char* name) {
  const auto text = parameters.Find(name);
  if (!text) return std::nullopt;
  const auto duration = ParseDuration(*text);
  if (!duration) return InvalidField(name, "must be a duration such as 24h or 30d");
  return duration->count();
}

absl::StatusOr<std::optional<google::protobuf::Timestamp>> TimeOf(const Parameters& parameters, const char* name) {
  const auto text = parameters.Find(name);
  if (!text) return std::nullopt;
  google::protobuf::Timestamp time;
  if (TimeUtil::FromString(*text, &time)) return time;
  return InvalidField(name, "must be a time such as 2026-11-30T00:00:00Z or 2026-11-30T00:00:00%2B07:00");
}

absl::Status CheckNotEmpty(const Parameters& parameters, const char* name) {
  if (parameters.Find(name) != "") return absl::OkStatus();
  return InvalidField(name, "must not be empty; leave it out to restrict nothing");
}

absl::Status FillSpan(const Parameters& parameters, v1::Window& window) {
  const auto last = DurationOf(parameters, "window.last");
  const auto start = TimeOf(parameters, "window.start"), end = TimeOf(parameters, "window.end");
  const auto day = parameters.Find("window.day");
  const bool has_start = parameters.Find("window.start").has_value(),
             has_end = parameters.Find("window.end").has_value();
  if ((parameters.Find("window.last") ? 1 : 0) + (day ? 1 : 0) + (has_start || has_end ? 1 : 0) != 1) {
    return InvalidField("window", "is window.last, window.day, or window.start with window.end");
  }
  if (day) window.set_day(*day);
  if (!last.ok()) return last.status();
  if (*last) *window.mutable_last() = TimeUtil::MillisecondsToDuration(**last);
  if (!start.ok()) return start.status();
  if (!end.ok()) return end.status();
  if (has_start != has_end) return InvalidField(has_start ? "window.end" : "window.start", "is missing");
  if (has_start) {
    *window.mutable_range()->mutable_start() = **start;
    *window.mutable_range()->mutable_end() = **end;
  }
  return absl::OkStatus();
}

absl::Status ForBackends(std::string_view what) {
  return absl::PermissionDeniedError(
      fmt::format("only the portal's own servers may ask for {}; they ask at the address for backends "
                  "(--backend-address of viewcountd)",
                  what));
}

}  // namespace viewcount
