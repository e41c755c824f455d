#include "service/journal/journal_recovery.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "service/base/planted_bug.h"
#include "service/journal/segment_reader.h"
#include "service/journal/segments.h"

namespace viewcount {
namespace {

// Reads all segment headers into `segments`. Returns the header of the newest segment.
absl::StatusOr<SegmentHeader> ReadChain(Disk& disk, const std::string& folder, const LaneId& lane,
                                        const std::vector<Position>& starts, std::vector<SegmentFile>& segments) {
  SegmentHeader newest;
  for (const Position start : starts) {
    auto header = ReadSegmentHeader(disk, folder, start, lane);
    if (!header.ok()) return header.status();
    if (!segments.empty()) {
      if (auto status = CheckFollows(disk, folder, newest, *header); !status.ok()) return status;
    }
    auto file = disk.OpenForReading(SegmentPath(folder, start));
    if (!file.ok()) return file.status();
    const auto bytes = (*file)->Size();
    if (!bytes.ok()) return bytes.status();
    segments.push_back({start, *bytes, header->version});
    newest = *header;
  }
  return newest;
}

// Returns how many bytes after `end` are in use, that is, up to the last byte that is not zero.
absl::StatusOr<uint64_t> UsedBytesAfter(DiskFile& file, uint64_t end, uint64_t size) {
  std::string buffer(std::min<uint64_t>(size - std::min(size, end), limits::kJournalReadBytes), '\0');
  while (size > end) {
    const uint64_t begin = size - std::min<uint64_t>(size - end, buffer.size());
    const auto count = file.Read(begin, std::span(buffer.data(), size - begin));
    if (!count.ok()) return count.status();
    const size_t last = std::string_view(buffer.data(), *count).find_last_not_of('\0');
    if (last != std::string_view::npos) return begin + last + 1 - end;
    size = begin;
  }
  return 0;
}

// Finds the end of the newest segment's records and stores it in `journal`. Returns where the last group begins.
absl::StatusOr<Position> FindEnd(const std::string& folder, const SegmentHeader& header, RecoveredJournal& journal) {
  const SegmentFile& newest = journal.segments.back();
  SegmentReader reader(*journal.file, header.lane, newest.start, {newest.start.value + newest.bytes});
  journal.last = MarkOf(header);
  Position group_begin = reader.position();
  auto step = reader.Next();
  for (; step.ok() && *step == SegmentReader::Step::kRecord; step = reader.Next()) {
    group_begin = reader.header()->group_begin;
    journal.last = reader.header()->mark();
    journal.sealed = reader.header()->type == RecordType::kCommit;
  }
  if (!step.ok()) return step.status();
  journal.end = reader.position();
  if (*step == SegmentReader::Step::kEnd) return group_begin;
  const auto proof = reader.FindProof();
  if (!proof.ok()) return proof.status();
  if (proof->has_value()) {
    return BrokenJournal(folder, newest.start, journal.end,
                         fmt::format("a record is broken that was durable before offset {} was written",
                                     (*proof)->begin.value - newest.start.value));
  }
  const uint64_t end = journal.end.value - newest.start.value;
  const auto behind = UsedBytesAfter(*journal.file, end, newest.bytes);
  if (!behind.ok()) return behind.status();
  if (*behind > 0) {
    spdlog::warn(
        "journal: {} bytes behind the last whole record are cut off: a write that a crash tore, or an earlier use "
        "of the file; file={} offset={}",
        *behind, SegmentPath(folder, newest.start), end);
  }
  if (Planted(PlantedBug::kKeepTornTail)) {
    const auto torn = reader.TornBytes();
    if (torn.ok()) journal.end.value += *torn;
  }
  return group_begin;
}

// Writes the last group again. It may exist only in the kernel's cache, and the kernel may regard it as written after a
// failed sync. A sync alone would then not help.
absl::Status WriteAgain(DiskFile& file, uint64_t begin, uint64_t end) {
  if (Planted(PlantedBug::kSkipWriteAgain)) return absl::OkStatus();
  std::string group(end - begin, '\0');
  if (const auto count = file.Read(begin, group); !count.ok()) return count.status();
  return file.Write(begin, group);
}

// Removes everything after the end that could become a record again, and makes everything before it durable. Returns
// the size of the file.
absl::StatusOr<uint64_t> CutOff(DiskFile& file, uint64_t used, uint64_t segment_bytes) {
  if (Planted(PlantedBug::kKeepBytesBehindCut)) return file.Size();
  if (auto status = file.Truncate(used); !status.ok()) return status;
  if (auto status = file.Sync(); !status.ok()) return status;
  // A full disk does no harm here: the next group begins a new segment, or waits for room.
  const auto allocated = file.Allocate(std::max(used, segment_bytes));
  if (absl::IsResourceExhausted(allocated)) {
    if (auto status = file.Truncate(used); !status.ok()) return status;
  } else if (!allocated.ok()) {
    return allocated;
  }
  if (auto status = file.Sync(); !status.ok()) return status;
  return file.Size();
}

}  // namespace

absl::StatusOr<RecoveredJournal> RecoverJournal(Disk& disk, const std::string& folder, const LaneId& lane,
                                                uint64_t segment_bytes) {
  RecoveredJournal journal;
  const auto starts = ListSegments(disk, folder);
  if (!starts.ok()) return starts.status();
  const auto newest = ReadChain(disk, folder, lane, *starts, journal.segments);
  if (!newest.ok()) return newest.status();
  if (auto status = RemoveSpares(disk, folder); !status.ok()) return status;
  if (starts->empty()) return journal;

  auto file = disk.Open(SegmentPath(folder, starts->back()));
  if (!file.ok()) return file.status();
  journal.file = *std::move(file);
  const auto group_begin = FindEnd(folder, *newest, journal);
  if (!group_begin.ok()) return group_begin.status();
  const uint64_t used = journal.end.value - newest->start.value;
  if (auto status = WriteAgain(*journal.file, group_begin->value - newest->start.value, used); !status.ok()) {
    return status;
  }
  const auto bytes = CutOff(*journal.file, used, segment_bytes);
  if (!bytes.ok()) return bytes.status();
  journal.segments.back().bytes = *bytes;
  // The segment may have got its name after the last sync of the folder.
  if (auto status = disk.SyncFolder(folder); !status.ok()) return status;
  return journal;
}

}  // namespace viewcount
