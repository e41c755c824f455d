#include "service/lane/fenced_cursors.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <sstream>

#include "service/base/files.h"
#include "service/base/status.h"

namespace viewcount {
namespace {

std::string PathIn(const std::string& folder) { return folder + "/FENCED"; }

}  // namespace

void NoteFenced(Disk& disk, const std::string& folder, const Ledger& ledger, std::optional<Position> unchecked) {
  std::string text;
  {
    const Ledger::LockedView still = ledger.Lock();
    for (uint32_t i = 0; i < limits::kShards; ++i) {
      const Shard shard{static_cast<uint8_t>(i)};
      // Without the shard's cursor, bringing its views in could count some of them twice.
      if (still.IsAbsent(shard) && !unchecked) return;
      const Cursor cursor = still.IsAbsent(shard) ? Cursor::End(*unchecked) : still.CursorOf(shard);
      text += fmt::format("{:02} {}\n", i, cursor.ToString());
    }
  }
  const auto status = WriteFileDurably(disk, PathIn(folder), text);
  if (!status.ok()) spdlog::error("{}", ToStd(status.message()));
}

absl::StatusOr<ShardCursors> ReadFencedCursors(Disk& disk, const std::string& folder) {
  const auto text = ReadFile(disk, PathIn(folder));
  if (!text.ok()) return text.status();
  ShardCursors cursors;
  std::istringstream lines(*text);
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    std::string line;
    std::getline(lines, line);
    const std::string number = fmt::format("{:02} ", i);
    const auto cursor = line.starts_with(number) ? Cursor::Parse(line.substr(number.size())) : std::nullopt;
    if (!cursor)
      return absl::DataLossError(
          fmt::format("{} holds a line that viewcountd did not write: \"{}\"", PathIn(folder), line));
    cursors[i] = *cursor;
  }
  return cursors;
}

}  // namespace viewcount
