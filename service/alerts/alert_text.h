// The texts of messages, in English and Vietnamese. Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/alerts/alert_condition.h"
#include "service/alerts/alert_hours.h"
#include "service/alerts/alert_reader.h"
#include "service/alerts/alert_state.h"
#include "service/sites/site.h"
#include "viewcount/v1/alerts.pb.h"

namespace viewcount {

// Everything that a message says.
struct AlertEvent {
  AlertMessage message = AlertMessage::kFired;
  // True for a message that an administrator asked for, to test the webhook.
  bool is_test = false;
  // See MessageIdOf.
  std::string id;
  v1::Alert alert;
  // When the message was made, Unix milliseconds.
  int64_t unix_ms = 0;
  absl::TimeZone zone;
  // The title of the article that is watched. Empty without one.
  std::string title;
  // The numbers of a condition. Nothing if they could not be read.
  std::optional<HoursViews> views;
  // The numbers of a digest, and its days.
  std::optional<DigestReading> digest;
  DigestSpan span;
};

// Returns the lines of the text: a headline, then perhaps others. No line has a control character. All lines together
// have at most kAlertTextCharactersMax characters.
std::vector<std::string> LinesOf(const AlertEvent& event);

// Returns a text for people that others wrote, in one line: control characters, separators of lines, and characters
// that change the direction of writing become spaces. Ill-formed bytes become '?'. At most kAlertTitleCharactersMax
// characters remain.
std::string OneLineOf(std::string_view text);

}  // namespace viewcount
