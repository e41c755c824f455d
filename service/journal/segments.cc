#include "service/journal/segments.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace viewcount {
namespace {

constexpr std::string_view kSegmentSuffix = ".journal";
constexpr std::string_view kSpareSuffix = ".spare";
constexpr size_t kDigits = 20;

std::optional<uint64_t> NumberOf(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  name.remove_suffix(suffix.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string SegmentPath(const std::string& folder, Position start) {
  return fmt::format("{}/{:020}{}", folder, start.value, kSegmentSuffix);
}

std::string SparePath(const std::string& folder, uint64_t number) {
  return fmt::format("{}/{}{}", folder, number, kSpareSuffix);
}

absl::StatusOr<std::vector<Position>> ListSegments(Disk& disk, const std::string& folder) {
  const auto names = disk.List(folder);
  if (!names.ok()) return names.status();
  std::vector<Position> starts;
  for (const std::string& name : *names) {
    if (name.size() != kDigits + kSegmentSuffix.size()) continue;
    if (const auto start = NumberOf(name, kSegmentSuffix)) starts.push_back({*start});
  }
  std::sort(starts.begin(), starts.end());
  return starts;
}

absl::Status RemoveSpares(Disk& disk, const std::string& folder) {
  const auto names = disk.List(folder);
  if (!names.ok()) return names.status();
  bool removed = false;
  for (const std::string& name : *names) {
    if (!NumberOf(name, kSpareSuffix)) continue;
    if (auto status = disk.Remove(fmt::format("{}/{}", folder, name)); !status.ok()) return status;
    removed = true;
  }
  return removed ? disk.SyncFolder(folder) : absl::OkStatus();
}

absl::StatusOr<SegmentHeader> ReadSegmentHeader(Disk& disk, const std::string& folder, Position start) {
  const std::string path = SegmentPath(folder, start);
  auto file = disk.OpenForReading(path);
  if (!file.ok()) return file.status();
  SegmentHeaderBytes bytes{};
  if (const auto count = (*file)->Read(0, bytes); !count.ok()) return count.status();
  const auto header = DecodeSegmentHeader(bytes);
  if (!header) return BrokenJournal(folder, start, start, "the segment's header is broken");
  if (header->version < kJournalFormatVersionMin || header->version > kJournalFormatVersion) {
    return absl::FailedPreconditionError(
        fmt::format("{} is of format {}, this program knows formats up to {}; use a newer one", path, header->version,
                    kJournalFormatVersion));
  }
  if (header->start != start) {
    return absl::FailedPreconditionError(
        fmt::format("{} was written as {}; give it that name again", path, SegmentPath(folder, header->start)));
  }
  return *header;
}

absl::StatusOr<SegmentHeader> ReadSegmentHeader(Disk& disk, const std::string& folder, Position start,
                                                const LaneId& lane) {
  auto header = ReadSegmentHeader(disk, folder, start);
  if (header.ok() && header->lane != lane) {
    return absl::FailedPreconditionError(
        fmt::format("{} belongs to lane {}, but the folder to lane {}; put back what was there, or move it away",
                    SegmentPath(folder, start), ToHex(header->lane), ToHex(lane)));
  }
  return header;
}

absl::Status CheckFollows(Disk& disk, const std::string& folder, const SegmentHeader& previous,
                          const SegmentHeader& next) {
  if (next.previous_start != previous.start) {
    return absl::FailedPreconditionError(fmt::format("{} is missing, which comes before {}; put it back",
                                                     SegmentPath(folder, next.previous_start),
                                                     SegmentPath(folder, next.start)));
  }
  const RecordMark& last = next.previous_last;
  if (last.begin == previous.start) {
    if (last == MarkOf(previous)) return absl::OkStatus();
    return BrokenJournal(folder, previous.start, previous.start, "another header than the next segment names");
  }
  auto file = disk.OpenForReading(SegmentPath(folder, previous.start));
  if (!file.ok()) return file.status();
  std::array<char, kRecordHeaderBytes> bytes{};
  if (const auto count = (*file)->Read(last.begin.value - previous.start.value, bytes); !count.ok()) {
    return count.status();
  }
  const auto record = RecordFormat(previous.lane).Decode(last.begin, bytes.data());
  if (record && record->mark() == last && record->end() == next.start) return absl::OkStatus();
  return BrokenJournal(folder, previous.start, last.begin, "not the last record that the next segment names");
}

absl::Status BrokenJournal(const std::string& folder, Position segment, Position at, std::string_view what) {
  return absl::DataLossError(
      fmt::format("{} at offset {}: {}; \"viewcount journal verify {}\" tells what is broken, and \"viewcount journal "
                  "repair {}\" repairs what can be repaired",
                  SegmentPath(folder, segment), at.value - segment.value, what, folder, folder));
}

}  // namespace viewcount
