// The state of an alert, which all instances share, and its changes. Pure functions; thread-safe.
//
// An instance that sends a message first replaces the state that it read by the next one, in one atomic step of the
// store. So of several instances one sends the message, and none sends it again after a restart. The new state says
// that the message is being sent. When that is over, the same instance says so. If it does not within kAlertLease, it
// is gone, and another one sends the message, with the same ID. A message for which all attempts failed is left in that
// state for a day, so it is sent again in the same way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "service/alerts/alert_condition.h"
#include "service/alerts/alert_hours.h"
#include "viewcount/v1/alerts.pb.h"

namespace viewcount {

enum class AlertMessage : uint8_t { kNone, kFired, kRepeated, kResolved, kDigest };

struct AlertState {
  // RevisionOf the alert to which the state belongs.
  std::string revision;
  bool firing = false;
  // When `firing` last changed, Unix milliseconds. 0 if it never did.
  int64_t changed_unix_ms = 0;
  // When the last message was taken, Unix milliseconds. 0 if there was none.
  int64_t message_unix_ms = 0;
  // The day on which the last digest was due, as DayNumber; 0 without one.
  uint32_t digest_day = 0;
  // The message that is being sent.
  AlertMessage sending = AlertMessage::kNone;
  // Until when the instance that sends the message may take, Unix milliseconds.
  int64_t lease_unix_ms = 0;

  bool operator==(const AlertState&) const = default;
};

// Returns the text that the store holds. ParseState returns nothing for any other text.
std::string EncodeState(const AlertState& state);
std::optional<AlertState> ParseState(std::string_view text);

// Returns a text that changes with what an alert watches and since when. A change of the webhook or of the language
// does not change it.
std::string RevisionOf(const v1::Alert& alert);

// Returns the present state of an alert, of which the store holds `stored`. A state of another revision is none.
AlertState PresentState(const v1::Alert& alert, const absl::TimeZone& zone, std::string_view stored);

// Returns the message that is under way without an instance that sends it, or kNone.
AlertMessage LostMessage(const AlertState& state, int64_t now_unix_ms);
// Returns whether an instance is sending a message, so that nothing else is decided.
bool IsSending(const AlertState& state, int64_t now_unix_ms);
// Returns the state with a message that this instance sends. The message may be a lost one.
AlertState Taken(AlertState state, AlertMessage message, int64_t now_unix_ms);
// Returns the state after the message was sent, or given up.
AlertState Done(AlertState state);
// Returns whether the message is young enough to be sent again if all attempts failed.
bool IsKept(const AlertState& state, int64_t now_unix_ms);

// Returns the state that follows from a verdict, with the message in `sending`. Returns nothing if nothing changes.
std::optional<AlertState> AfterVerdict(const v1::Alert& alert, const AlertState& state, Verdict verdict,
                                       int64_t now_unix_ms);
// Returns the state in which the digest is being sent. Returns nothing if none is due. A wrong clock may have written
// a day that is still to come. Then it returns a state without a message, and the next digest is due at its time.
std::optional<AlertState> AfterDigestTime(const v1::Alert& alert, const AlertState& state, const absl::TimeZone& zone,
                                          int64_t now_unix_ms);

// Returns an ID of the message that `state` is sending: 32 hexadecimal digits. It is the same in every instance, and
// for no other message.
std::string MessageIdOf(const v1::Alert& alert, const AlertState& state);

}  // namespace viewcount
