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
absl::Status Run(Session& session, const StatsCommand& command);
// Prints as the service tells; what was printed before an error stays.
absl::Status Run(Session& session, const WatchCommand& command);
absl::Status Run(Session& session, const SitePutCommand& command);
absl::Status Run(Session& session, const SiteListCommand& command);
absl::Status Run(Session& session, const AnnounceCommand& command);
absl::Status Run(Session& session, const SetCommand& command);
absl::Status Run(Session& session, const MergeCommand& command);
absl::Status Run(Session& session, const DeleteCommand& command);
absl::Status Run(Session& session, const AdjustmentsCommand& command);
absl::Status Run(Session& session, const UndoCommand& command);
absl::Status Run(Session& session, const FlushCommand& command);
absl::Status Run(Session& session, const StatusCommand& command);
// kFailed if there is a difference, which is printed.
absl::StatusOr<ExitCode> Run(Session& session, const AuditCommand& command);
// Who sits at the keyboard; the service asks for a name where something changes.
std::string UserName();

// These need no service: they work on its files, and refuse while it runs. Verify: kFailed if something is broken.
absl::StatusOr<ExitCode> Run(Session& session, const JournalVerifyCommand& command);
absl::Status Run(Session& session, const JournalRepairCommand& command);
absl::Status Run(Session& session, const JournalDrainCommand& command);

// kOk, or with `strict` kBadLines. Errors as above, and files that cannot be read; what was counted before is printed.
absl::StatusOr<ExitCode> Run(Session& session, const ImportAccessLogCommand& command);

}  // namespace viewcount::cli
