// Takes the rules for a log's lines from the settings of its site.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "client/cli/access_log.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount::cli {

// Returns the rules of the site for imports. Only lines of `hosts` are views, if there are any; case and ports do not
// matter. Returns INVALID_ARGUMENT if this program does not understand the site's rules. Thread-safe.
absl::StatusOr<LogRules> LogRulesOf(const v1::Site& site, const std::vector<std::string>& hosts);

}  // namespace viewcount::cli
