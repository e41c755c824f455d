// The bodies of messages, in the form that each kind of webhook takes. docs/alerts.md shows them.
#pragma once

#include <string>

#include "service/alerts/alert_text.h"

namespace viewcount {

// Returns the body of a message as JSON, in the format of the alert. Titles and names that others wrote are shown as
// they are, and neither form links, mentions or markup of the chat, nor end the text. Pure function; thread-safe.
std::string BodyOf(const AlertEvent& event);

}  // namespace viewcount
