// Reads the numbers of a report from the service.
#pragma once

#include <absl/status/statusor.h>

#include "client/cli/report.h"
#include "client/cli/report_options.h"
#include "client/cli/session.h"

namespace viewcount::cli {

// The least time-out of a call, in seconds. An exact list of a large site takes up to a minute.
inline constexpr double kReportTimeoutMin = 120;

// Returns the numbers. They are exact unless the service is not; Report::exact says so. Returns the service's errors,
// and FAILED_PRECONDITION if this machine does not know the site's time zone. Not thread-safe.
absl::StatusOr<Report> ReadReport(Session& session, const ReportCommand& command);

}  // namespace viewcount::cli
