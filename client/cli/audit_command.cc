// Implements the command audit.
#include <fmt/format.h>

#include <string>

#include "client/cli/commands.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

std::string LanesText(const v1::AuditResponse& audit) {
  Table table({{"LANE"},
               {"JOURNALED", Align::kRight},
               {"IN REDIS", Align::kRight},
               {"PENDING", Align::kRight},
               {"LOST", Align::kRight},
               {"SET ASIDE", Align::kRight},
               {"ADJUSTED", Align::kRight}});
  for (const auto& lane : audit.lanes()) {
    table.Add({lane.lane_id(), Grouped(lane.journaled_views()), Grouped(lane.stored_views()),
               Grouped(lane.pending_views()), Grouped(lane.lost_views()), Grouped(lane.set_aside_views()),
               fmt::format("{}", lane.adjusted_views())});
  }
  return table.Text();
}

std::string ReceivedText(const v1::AuditResponse& audit) {
  std::string text;
  for (const auto& lane : audit.lanes()) {
    text += fmt::format("since its start: {} received = {} counted + {} duplicate + {} rejected + {} waiting\n",
                        Grouped(lane.received_views()), Grouped(lane.counted_views()), Grouped(lane.duplicate_views()),
                        Grouped(lane.rejected_views()), Grouped(lane.waiting_views()));
  }
  return text;
}

}  // namespace

absl::StatusOr<ExitCode> Run(Session& session, const AuditCommand& command) {
  v1::AuditRequest request;
  if (command.repair) {
    request.set_repair(true);
    request.mutable_provenance()->set_who(UserName());
    request.mutable_provenance()->set_why(command.why);
  }
  const auto audit = session.Call(session.admin(), &v1::AdminService::Stub::Audit, request);
  if (!audit.ok()) return audit.status();
  const ExitCode exit_code = audit->agrees() ? ExitCode::kOk : ExitCode::kFailed;
  if (session.options().json) return Print(JsonOf(*audit)), exit_code;
  std::string text = LanesText(*audit) + ReceivedText(*audit);
  text += fmt::format("{} counts in {} hashes compared\n", Grouped(audit->counts()), Grouped(audit->hashes()));
  for (const std::string& difference : audit->repaired()) text += "REPAIRED: " + difference + "\n";
  for (const std::string& name : audit->busy()) text += "changed all the time, not compared: " + name + "\n";
  for (const std::string& difference : audit->differences()) text += "DIFFERS: " + difference + "\n";
  if (audit->more_differences() > 0) text += fmt::format("and {} more\n", Grouped(audit->more_differences()));
  text += audit->agrees() ? "everything agrees\n" : "not everything agrees; see the runbook\n";
  Print(text);
  return exit_code;
}

}  // namespace viewcount::cli
