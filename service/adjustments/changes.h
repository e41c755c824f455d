// Represents the changes of an adjustment while it is computed, and adds them to its message.
#pragma once

#include <string>

#include "service/adjustments/count_survey.h"
#include "viewcount/journal/v1/adjustment.pb.h"

namespace viewcount {

// Changes by article and window. The type is that of counts, because most changes are present counts with the opposite
// sign.
using Changes = SurveyedCounts;

// Adds the changes to the message and leaves out zeros.
void PutChanges(const Changes& changes, journal::v1::Adjustment& message);
// Returns "the site" for the empty ID, otherwise the ID in quotes.
std::string NameOf(const std::string& article_id);

}  // namespace viewcount
