#include "client/cli/imported_times.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <map>

#include "service/base/limits.h"
#include "service/sites/site.h"

namespace viewcount::cli {
namespace {

constexpr int64_t kHourMs = 3'600'000;
static_assert(limits::kEventTimeUnixMsMax / kHourMs <= UINT32_MAX);

// The service remembers these names, so they must never change.
std::string_view CounterOf(ForeignFormat format) {
  switch (format) {
    case ForeignFormat::kGoatCounter:
      return "goatcounter";
    case ForeignFormat::kPlausible:
      return "plausible";
    case ForeignFormat::kWikimedia:
      break;
  }
  return "wikimedia";
}

}  // namespace

ImportedTimes::ImportedTimes(ForeignFormat format, const std::string& site, DayZones days, bool overlapping,
                             SendRequest send)
    : format_(format),
      counter_(CounterOf(format)),
      days_(std::move(days)),
      overlapping_(overlapping),
      writers_(site, std::move(send)) {}

absl::Status ImportedTimes::Claim(const ImportBatch& batch) {
  // All questions come first, so that a refused batch claims nothing.
  std::set<uint32_t> free, seen;
  for (const auto& view : batch.views()) {
    const uint32_t number = NumberAt(view.event_time_unix_ms());
    if (settled_.contains({batch.writer_id(), number}) || !seen.insert(number).second) continue;
    const auto owner = writers_.OwnerOf(counter_, number, batch.writer_id());
    if (!owner.ok()) return owner.status();
    if (*owner == TimeOwner::kNone) free.insert(number);
    if (*owner == TimeOwner::kAnotherFile && !overlapping_) return Refusal(view.event_time_unix_ms());
  }
  for (const uint32_t number : seen) {
    if (free.contains(number)) {
      const auto own = writers_.ClaimTime(counter_, number, batch.writer_id());
      if (!own.ok()) return own.status();
      if (!*own && !overlapping_) {
        return absl::AbortedError("another import of the same days runs at the same time; import it again later");
      }
    }
    settled_.emplace(batch.writer_id(), number);
  }
  return absl::OkStatus();
}

uint32_t ImportedTimes::NumberAt(int64_t unix_ms) const {
  if (format_ == ForeignFormat::kWikimedia) return static_cast<uint32_t>(unix_ms / kHourMs);
  return DayNumber(days_.DayAt(unix_ms));
}

absl::Status ImportedTimes::Refusal(int64_t unix_ms) const {
  std::string time = absl::FormatCivilTime(days_.DayAt(unix_ms));
  std::string_view remedy = "remove its rows";
  if (format_ == ForeignFormat::kWikimedia) {
    time = absl::FormatTime("the hour from %Y-%m-%dT%H:00Z", absl::FromUnixMillis(unix_ms), absl::UTCTimeZone());
    remedy = "leave it out";
  } else if (format_ == ForeignFormat::kGoatCounter) {
    remedy = "export from the same first view as before, remove its rows";
  }
  return absl::FailedPreconditionError(
      fmt::format("{} was imported from another export, so its views would count twice; {}, or import with "
                  "--overlapping if they are other views; rows before them may be counted, once",
                  time, remedy));
}

}  // namespace viewcount::cli
