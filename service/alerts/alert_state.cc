#include "service/alerts/alert_state.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "service/alerts/alert_limits.h"
#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace {

constexpr std::array<std::string_view, 5> kMessageNames = {"none", "fired", "repeated", "resolved", "digest"};
constexpr size_t kStateFields = 7;
constexpr int64_t kLeaseMs = std::chrono::milliseconds(kAlertLease).count();
constexpr int64_t kKeptMs = std::chrono::milliseconds(kAlertMessageKept).count();
constexpr int64_t kClockErrorMs = std::chrono::milliseconds(kAlertClockErrorMax).count();

std::string_view NameOf(AlertMessage message) { return kMessageNames[static_cast<size_t>(message)]; }

// Returns a hash as 32 hexadecimal digits.
std::string DigestOf(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

std::string EncodeState(const AlertState& state) {
  return fmt::format("{} {} {} {} {} {} {}", state.revision, state.firing ? 1 : 0, state.changed_unix_ms,
                     state.message_unix_ms, state.digest_day, NameOf(state.sending), state.lease_unix_ms);
}

std::optional<AlertState> ParseState(std::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(ToAbsl(text), ' ');
  if (words.size() != kStateFields || words[0].empty()) return std::nullopt;
  AlertState state{.revision = std::string(words[0])};
  int firing = 0;
  if (!absl::SimpleAtoi(words[1], &firing) || !absl::SimpleAtoi(words[2], &state.changed_unix_ms) ||
      !absl::SimpleAtoi(words[3], &state.message_unix_ms) || !absl::SimpleAtoi(words[4], &state.digest_day) ||
      !absl::SimpleAtoi(words[6], &state.lease_unix_ms)) {
    return std::nullopt;
  }
  for (const int64_t unix_ms : {state.changed_unix_ms, state.message_unix_ms, state.lease_unix_ms}) {
    if (unix_ms < 0 || unix_ms > limits::kEventTimeUnixMsMax) return std::nullopt;
  }
  state.firing = firing == 1;
  for (size_t i = 0; i < kMessageNames.size(); ++i) {
    if (words[5] == ToAbsl(kMessageNames[i])) state.sending = static_cast<AlertMessage>(i);
  }
  // Only the texts of EncodeState are states.
  if (EncodeState(state) != text) return std::nullopt;
  return state;
}

std::string RevisionOf(const v1::Alert& alert) {
  std::string watched = fmt::format("{}\n{}\n", google::protobuf::util::TimeUtil::ToString(alert.watch_time()),
                                    static_cast<int>(alert.condition_case()));
  switch (alert.condition_case()) {
    case v1::Alert::kViewsAbove:
      watched += fmt::format("{}", alert.views_above());
      break;
    case v1::Alert::kViewsBelow:
      watched += fmt::format("{}", alert.views_below());
      break;
    case v1::Alert::kAboveUsual:
      watched += fmt::format("{}", alert.above_usual());
      break;
    case v1::Alert::kBelowUsual:
      watched += fmt::format("{}", alert.below_usual());
      break;
    case v1::Alert::kDigest:
      watched += fmt::format("{} {}", static_cast<int>(alert.digest().period()), alert.digest().hour());
      break;
    case v1::Alert::CONDITION_NOT_SET:
      break;
  }
  // The subject comes last, since it may contain anything.
  watched +=
      fmt::format("\n{} {}\n{}\n{}", WatchedHoursOf(alert), MinimumUsualOf(alert),
                  static_cast<int>(alert.subject_case()), alert.has_section() ? alert.section() : alert.article_id());
  return DigestOf(watched).substr(0, 16);
}

AlertState PresentState(const v1::Alert& alert, const absl::TimeZone& zone, std::string_view stored) {
  std::string revision = RevisionOf(alert);
  if (auto state = ParseState(stored); state && state->revision == revision) return *std::move(state);
  AlertState state{.revision = std::move(revision)};
  if (alert.has_digest()) {
    // The digest that was due when the alert began to watch this is not sent.
    const int64_t since = google::protobuf::util::TimeUtil::TimestampToMilliseconds(alert.watch_time());
    state.digest_day = DayNumber(DueDigest(alert.digest(), zone, since).due);
  }
  return state;
}

AlertMessage LostMessage(const AlertState& state, int64_t now_unix_ms) {
  return IsSending(state, now_unix_ms) ? AlertMessage::kNone : state.sending;
}

bool IsSending(const AlertState& state, int64_t now_unix_ms) {
  // A lease that ends later than a new one was taken by a clock that was wrong.
  return state.sending != AlertMessage::kNone && now_unix_ms < state.lease_unix_ms &&
         state.lease_unix_ms <= now_unix_ms + 2 * kLeaseMs;
}

AlertState Taken(AlertState state, AlertMessage message, int64_t now_unix_ms) {
  state.sending = message;
  state.lease_unix_ms = now_unix_ms + kLeaseMs;
  return state;
}

AlertState Done(AlertState state) {
  state.sending = AlertMessage::kNone;
  state.lease_unix_ms = 0;
  return state;
}

bool IsKept(const AlertState& state, int64_t now_unix_ms) {
  const int64_t age_ms = now_unix_ms - state.message_unix_ms;
  return age_ms >= -kClockErrorMs && age_ms < kKeptMs;
}

std::optional<AlertState> AfterVerdict(const v1::Alert& alert, const AlertState& state, Verdict verdict,
                                       int64_t now_unix_ms) {
  AlertState next = state;
  next.message_unix_ms = now_unix_ms;
  if (verdict == Verdict::kHolds && !state.firing) {
    next.firing = true;
    next.changed_unix_ms = now_unix_ms;
    return Taken(std::move(next), AlertMessage::kFired, now_unix_ms);
  }
  if (verdict == Verdict::kDoesNotHold && state.firing) {
    next.firing = false;
    next.changed_unix_ms = now_unix_ms;
    return Taken(std::move(next), AlertMessage::kResolved, now_unix_ms);
  }
  const int64_t repeat_ms = google::protobuf::util::TimeUtil::DurationToMilliseconds(alert.repeat_every());
  const int64_t age_ms = now_unix_ms - state.message_unix_ms;
  const bool is_old = age_ms >= repeat_ms || age_ms < -kClockErrorMs;
  if (verdict == Verdict::kHolds && repeat_ms > 0 && is_old) {
    return Taken(std::move(next), AlertMessage::kRepeated, now_unix_ms);
  }
  return std::nullopt;
}

std::optional<AlertState> AfterDigestTime(const v1::Alert& alert, const AlertState& state, const absl::TimeZone& zone,
                                          int64_t now_unix_ms) {
  const uint32_t due = DayNumber(DueDigest(alert.digest(), zone, now_unix_ms).due);
  const uint32_t due_soon = DayNumber(DueDigest(alert.digest(), zone, now_unix_ms + kClockErrorMs).due);
  const bool is_wrong = state.digest_day > due_soon;
  if (due <= state.digest_day && !is_wrong) return std::nullopt;
  AlertState next = state;
  next.digest_day = due;
  if (is_wrong) return next;
  next.message_unix_ms = now_unix_ms;
  return Taken(std::move(next), AlertMessage::kDigest, now_unix_ms);
}

std::string MessageIdOf(const v1::Alert& alert, const AlertState& state) {
  return DigestOf(fmt::format("{}/{}\n{}\n{}\n{}\n{}", alert.site(), alert.name(), state.revision,
                              NameOf(state.sending), state.message_unix_ms, state.digest_day));
}

}  // namespace viewcount
