// The main function of the command `viewcount`: it parses the command line, runs the command and returns its exit code.
#include <cstdlib>
#include <exception>
#include <string>

#include "client/cli/command_line.h"
#include "client/cli/commands.h"
#include "client/cli/session.h"

namespace viewcount::cli {
namespace {

ExitCode ExitOf(const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  PrintError(std::string(status.message()));
  return ExitCodeOf(status);
}

ExitCode ExitOf(const absl::StatusOr<ExitCode>& result) { return result.ok() ? *result : ExitOf(result.status()); }

ExitCode Main(int argc, const char* const* argv) {
  const auto parsed = ParseCommandLine(argc, argv);
  if (const auto* exit_code = std::get_if<ExitCode>(&parsed)) return *exit_code;
  const auto& line = std::get<CommandLine>(parsed);
  Session session(line.global);
  const auto exit_code = std::visit([&](const auto& command) { return ExitOf(Run(session, command)); }, line.command);
  if (FlushOutput()) return exit_code;
  PrintError("standard output cannot be written; is its disk full?");
  return exit_code == ExitCode::kOk ? ExitCode::kFailed : exit_code;
}

}  // namespace
}  // namespace viewcount::cli

int main(int argc, char** argv) {
  // gRPC's own log lines would mix with the output of this program. Users who need them set the variable themselves.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  try {
    return static_cast<int>(viewcount::cli::Main(argc, argv));
  } catch (const std::exception& error) {
    viewcount::cli::PrintError(error.what());
    return static_cast<int>(viewcount::cli::ExitCode::kFailed);
  }
}
