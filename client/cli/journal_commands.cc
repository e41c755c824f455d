// Implements the commands journal verify, journal repair and journal drain.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "client/cli/commands.h"
#include "service/base/disk.h"
#include "service/base/log.h"
#include "service/base/redis_address.h"
#include "service/base/redis_waivers.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/instance/drain.h"
#include "service/journal/journal_check.h"
#include "service/lane/lane_directory.h"

namespace viewcount::cli {
namespace {

// Returns the lane folders that DIR stands for: all lanes of a data directory, or DIR itself if it is a lane's folder.
absl::StatusOr<std::vector<std::string>> FoldersOf(Disk& disk, const std::string& directory) {
  std::vector<std::string> folders;
  const auto lanes = ListLanes(disk, directory);
  if (!lanes.ok()) return lanes.status();
  for (const auto& [number, folder] : *lanes) folders.push_back(folder);
  if (!folders.empty()) return folders;
  const auto names = disk.List(directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (name == "IDENTITY" || name.ends_with(".journal")) return std::vector<std::string>{directory};
  }
  return absl::NotFoundError(
      fmt::format("{} is neither a data directory with lanes/ nor the folder of a lane", directory));
}

struct Work {
  absl::StatusOr<JournalReport> (*run)(Disk& disk, const std::string& folder);
  // Completes the sentence about the broken bytes: "are broken" or "were taken out".
  const char* broken;
};

// Prints the findings of each folder. Returns true if nothing was broken.
absl::StatusOr<bool> ForEachJournal(const std::string& directory, const Work& work) {
  PosixDisk disk;
  const auto folders = FoldersOf(disk, directory);
  if (!folders.ok()) return folders.status();
  bool whole = true;
  for (const std::string& folder : *folders) {
    const auto lock = LockLane(folder);
    if (!lock.ok()) return lock.status();
    const auto report = work.run(disk, folder);
    if (!report.ok()) return report.status();
    std::string text =
        fmt::format("{}: {} records in {} segments, {} bytes, positions {} to {}\n", folder, Grouped(report->records),
                    Grouped(report->segments), Grouped(report->bytes), report->begin.value, report->end.value);
    if (report->torn_bytes > 0) {
      text += fmt::format("  {} bytes at the end are a write that a crash tore; nothing of it was acknowledged\n",
                          Grouped(report->torn_bytes));
    }
    for (const JournalBreak& part : report->broken) {
      text += fmt::format("  {}, offset {}: {} bytes {}\n", part.file, part.offset, Grouped(part.bytes), work.broken);
    }
    if (report->lost_bytes > 0) {
      text += fmt::format("  {} bytes of records {}\n", Grouped(report->lost_bytes), work.broken);
    }
    Print(text);
    whole = whole && report->broken.empty();
  }
  return whole;
}

}  // namespace

absl::StatusOr<ExitCode> Run(Session&, const JournalVerifyCommand& command) {
  const auto whole = ForEachJournal(command.directory, {VerifyJournal, "are broken"});
  if (!whole.ok()) return whole.status();
  if (!*whole) Print("repair it with: viewcount journal repair " + command.directory + "\n");
  return *whole ? ExitCode::kOk : ExitCode::kFailed;
}

absl::Status Run(Session&, const JournalRepairCommand& command) {
  return ForEachJournal(command.directory, {RepairJournal, "were taken out"}).status();
}

absl::Status Run(Session&, const JournalDrainCommand& command) {
  const auto redis = ParseRedisAddress(command.redis);
  if (!redis.ok()) return WithMessage(redis.status(), fmt::format("--redis: {}", ToStd(redis.status().message())));
  const auto waivers = ParseRedisWaivers(command.redis_waive);
  if (!waivers.ok()) {
    return WithMessage(waivers.status(), fmt::format("--redis-waive: {}", ToStd(waivers.status().message())));
  }
  InitLogging(LogFormat::kText, "warn");
  PrintError(fmt::format("bringing the journals of {} into Redis; this may take minutes", command.directory));
  const auto views = DrainJournals(
      {.data_dir = command.directory, .redis = *redis, .redis_waivers = *waivers, .as_new = command.as_new});
  if (!views.ok()) return views.status();
  Print(fmt::format("{} views were brought into Redis; the journals are removed\n", Grouped(*views)));
  return absl::OkStatus();
}

}  // namespace viewcount::cli
