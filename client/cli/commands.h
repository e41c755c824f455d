// Declares the functions that run the commands. Each function calls the service through the session and prints the
// answer to standard output. None of them is thread-safe.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "client/cli/command_line.h"
#include "client/cli/session.h"

namespace viewcount::cli {

// These functions return the service's error, or an error that says that the service cannot be reached. They print
// nothing then.
absl::Status Run(Session& session, const RecordCommand& command);
absl::Status Run(Session& session, const CountCommand& command);
absl::Status Run(Session& session, const TopCommand& command);
absl::Status Run(Session& session, const TrendingCommand& command);
absl::Status Run(Session& session, const RisingCommand& command);
// With `watch` it prints the list again and again until it is stopped.
absl::Status Run(Session& session, const NowCommand& command);
absl::Status Run(Session& session, const StatsCommand& command);
// Prints each change as the service sends it. Changes printed before an error remain on the output.
absl::Status Run(Session& session, const WatchCommand& command);
absl::Status Run(Session& session, const SeriesCommand& command);
// Rows printed before an error remain on the output.
absl::Status Run(Session& session, const ExportCommand& command);
absl::Status Run(Session& session, const NormalizeCommand& command);
absl::Status Run(Session& session, const SitePutCommand& command);
absl::Status Run(Session& session, const SiteListCommand& command);
// Returns kUsage for --json.
absl::StatusOr<ExitCode> Run(Session& session, const ReportCommand& command);
// Returns the exit codes of AnnounceInBulk for sitemaps and feeds.
absl::StatusOr<ExitCode> Run(Session& session, const AnnounceCommand& command);
absl::Status Run(Session& session, const SetCommand& command);
absl::Status Run(Session& session, const MergeCommand& command);
absl::Status Run(Session& session, const DeleteCommand& command);
absl::Status Run(Session& session, const AdjustmentsCommand& command);
absl::Status Run(Session& session, const UndoCommand& command);
absl::Status Run(Session& session, const AnnotationPutCommand& command);
absl::Status Run(Session& session, const AnnotationListCommand& command);
absl::Status Run(Session& session, const AnnotationDeleteCommand& command);
absl::Status Run(Session& session, const FlushCommand& command);
absl::Status Run(Session& session, const StatusCommand& command);
// Prints every difference, and returns kFailed if there is one.
absl::StatusOr<ExitCode> Run(Session& session, const AuditCommand& command);
// Returns the name of the user who runs the command. The service requires a name with every change.
std::string UserName();

absl::Status Run(Session& session, const AlertPutCommand& command);
absl::Status Run(Session& session, const AlertListCommand& command);
absl::Status Run(Session& session, const AlertDeleteCommand& command);
// Returns kFailed if the webhook does not take the message.
absl::StatusOr<ExitCode> Run(Session& session, const AlertTestCommand& command);

// The journal commands need no service. They work on the files of a stopped service and refuse to run while it is
// running. Verify returns kFailed if something is broken.
absl::StatusOr<ExitCode> Run(Session& session, const JournalVerifyCommand& command);
absl::Status Run(Session& session, const JournalRepairCommand& command);
absl::Status Run(Session& session, const JournalDrainCommand& command);

// Returns kOk, or kBadLines if `strict` is set and there were bad lines. Returns the errors above, and an error for a
// file that cannot be read. The counts of the lines imported before an error are printed.
absl::StatusOr<ExitCode> Run(Session& session, const ImportAccessLogCommand& command);
// Returns the same for the files of another counter.
absl::StatusOr<ExitCode> Run(Session& session, const ImportForeignCommand& command);
// Reads the file twice: the first time to check it, so that a broken file changes nothing.
absl::Status Run(Session& session, const ImportCountsCommand& command);

}  // namespace viewcount::cli
