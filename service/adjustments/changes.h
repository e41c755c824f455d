// What an adjustment adds, while it is worked out, and how it is told.
#pragma once

#include <string>

#include "service/adjustments/count_survey.h"
#include "viewcount/journal/v1/adjustment.pb.h"

namespace viewcount {

// By article, by window. Shaped like counts, because most changes are the counts of a moment with the other sign.
using Changes = SurveyedCounts;

// Puts them into the message; zeros are left out.
void PutChanges(const Changes& changes, journal::v1::Adjustment& message);
// "the site" for the empty ID, else the ID in quotes.
std::string NameOf(const std::string& article_id);

}  // namespace viewcount
