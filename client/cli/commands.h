// The commands. Each talks to the service through the session and prints its answer to standard output.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "client/cli/command_line.h"
#include "client/cli/session.h"

namespace viewcount::cli {

// Errors: the service's, or that it is not there; nothing is printed then.
absl::Status Run(Session& session, const RecordCommand& command);
absl::Status Run(Session& session, const CountCommand& command);
absl::Status Run(Session& session, const TopCommand& command);
absl::Status Run(Session& session, const SitePutCommand& command);
absl::Status Run(Session& session, const SiteListCommand& command);
absl::Status Run(Session& session, const FlushCommand& command);
absl::Status Run(Session& session, const StatusCommand& command);

// kOk, or with `strict` kBadLines. Errors as above, and files that cannot be read; what was counted before is printed.
absl::StatusOr<ExitCode> Run(Session& session, const ImportAccessLogCommand& command);

}  // namespace viewcount::cli
