#include "service/journal/journal_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "service/base/crc32c.h"
#include "service/base/limits.h"
#include "service/journal/segment_reader.h"
#include "service/journal/segments.h"

namespace viewcount {
namespace {

// One run of a check, or of a repair if the constructor's last argument is true. Not thread-safe.
class JournalCheck {
 public:
  JournalCheck(Disk& disk, std::string folder, bool mend) : disk_(disk), folder_(std::move(folder)), mend_(mend) {}

  absl::StatusOr<JournalReport> Run();

 private:
  // Reads the lane's ID from the first whole segment header.
  absl::Status FindLane();
  absl::Status CheckSegment(size_t index);
  // Returns the header that the segment must have, given the segments before it. Reports a break if it has another one.
  absl::StatusOr<SegmentHeader> CheckHeader(size_t index, DiskFile& file);
  absl::Status CheckRecords(DiskFile& file, Position start, Position limit, bool newest);
  // Handles the break at which the reader stands. Moves the reader past the break, or returns false at a torn tail.
  absl::StatusOr<bool> PassBreak(SegmentReader& reader, DiskFile& file, Position start, Position limit, bool newest);
  // Fills [begin, end) with void records.
  absl::Status Void(DiskFile& file, Position start, Position begin, Position end);

  Disk& disk_;
  const std::string folder_;
  const bool mend_;
  std::vector<Position> starts_;
  LaneId lane_;
  RecordMark last_;
  JournalReport report_;
};

absl::StatusOr<JournalReport> JournalCheck::Run() {
  auto starts = ListSegments(disk_, folder_);
  if (!starts.ok()) return starts.status();
  starts_ = *std::move(starts);
  report_.segments = starts_.size();
  if (starts_.empty()) return report_;
  if (auto status = FindLane(); !status.ok()) return status;
  report_.begin = starts_.front();
  for (size_t i = 0; i < starts_.size(); ++i) {
    if (auto status = CheckSegment(i); !status.ok()) return status;
  }
  return report_;
}

absl::Status JournalCheck::FindLane() {
  for (const Position start : starts_) {
    const auto header = ReadSegmentHeader(disk_, folder_, start);
    if (header.ok()) lane_ = header->lane;
    if (header.ok() || !absl::IsDataLoss(header.status())) return header.status();
  }
  return absl::FailedPreconditionError(
      fmt::format("no segment in {} has a whole header: there is no telling whose they are", folder_));
}

absl::Status JournalCheck::CheckSegment(size_t index) {
  const Position start = starts_[index];
  const bool newest = index + 1 == starts_.size();
  const std::string path = SegmentPath(folder_, start);
  auto file = mend_ ? disk_.Open(path) : disk_.OpenForReading(path);
  if (!file.ok()) return file.status();
  const auto header = CheckHeader(index, **file);
  if (!header.ok()) return header.status();
  last_ = MarkOf(*header);
  const auto bytes = (*file)->Size();
  if (!bytes.ok()) return bytes.status();
  const Position limit = newest ? Position{start.value + *bytes} : starts_[index + 1];
  if (auto status = CheckRecords(**file, start, limit, newest); !status.ok()) return status;
  // The next segment's header may depend on this repair, so it is written only after the repair is durable.
  return mend_ ? (*file)->Sync() : absl::OkStatus();
}

absl::StatusOr<SegmentHeader> JournalCheck::CheckHeader(size_t index, DiskFile& file) {
  const Position start = starts_[index];
  const auto found = ReadSegmentHeader(disk_, folder_, start, lane_);
  if (!found.ok() && !absl::IsDataLoss(found.status())) return found.status();
  SegmentHeader right{.lane = lane_, .start = start};
  if (index == 0) {
    // The previous segment is deleted, so the fields about it do not matter.
    if (found.ok()) right = *found;
  } else {
    if (found.ok()) right.version = found->version;
    right.previous_start = starts_[index - 1];
    right.previous_last = last_;
    if (found.ok() && found->previous_start != right.previous_start) {
      // This error says which segment is missing.
      return CheckFollows(disk_, folder_, {.lane = lane_, .start = right.previous_start}, *found);
    }
  }
  if (found.ok() && *found == right) return right;
  report_.broken.push_back({SegmentPath(folder_, start), 0, kSegmentHeaderBytes});
  if (!mend_) return right;
  const auto bytes = EncodeSegmentHeader(right);
  if (auto status = file.Write(0, {bytes.data(), bytes.size()}); !status.ok()) return status;
  return right;
}

absl::Status JournalCheck::CheckRecords(DiskFile& file, Position start, Position limit, bool newest) {
  SegmentReader reader(file, lane_, start, limit);
  while (true) {
    const auto step = reader.Next();
    if (!step.ok()) return step.status();
    report_.end = reader.position();
    if (*step == SegmentReader::Step::kEnd) return absl::OkStatus();
    if (*step == SegmentReader::Step::kBroken) {
      const auto passed = PassBreak(reader, file, start, limit, newest);
      if (!passed.ok()) return passed.status();
      if (*passed) continue;
      // Zeros and old bytes of a recycled file are cut off too, because they have no meaning.
      return mend_ ? file.Truncate(report_.end.value - start.value) : absl::OkStatus();
    }
    const RecordHeader& header = *reader.header();
    last_ = header.mark();
    if (header.type == RecordType::kVoid || header.type == RecordType::kCommit) continue;
    ++report_.records;
    report_.bytes += header.end().value - header.begin.value;
  }
}

absl::StatusOr<bool> JournalCheck::PassBreak(SegmentReader& reader, DiskFile& file, Position start, Position limit,
                                             bool newest) {
  const Position begin = reader.position();
  const std::optional<RecordHeader> broken = reader.header();
  if (newest) {
    const auto proof = reader.FindProof();
    if (!proof.ok()) return proof.status();
    if (!proof->has_value()) {
      const auto torn = reader.TornBytes();
      if (!torn.ok()) return torn.status();
      report_.torn_bytes = *torn;
      return false;
    }
  }
  Position end = limit;
  if (broken) {
    end = broken->end();
  } else {
    const auto next = reader.FindHeader({begin.value + kRecordHeaderBytes});
    if (!next.ok()) return next.status();
    if (next->has_value()) end = (*next)->begin;
  }
  report_.broken.push_back({SegmentPath(folder_, start), begin.value - start.value, end.value - begin.value});
  report_.lost_bytes += end.value - begin.value;
  if (mend_) {
    if (auto status = Void(file, start, begin, end); !status.ok()) return status;
  }
  reader.Skip(end);
  return true;
}

absl::Status JournalCheck::Void(DiskFile& file, Position start, Position begin, Position end) {
  const RecordFormat format(lane_);
  while (begin < end) {
    uint64_t bytes = std::min<uint64_t>(end.value - begin.value, limits::kJournalPayloadBytesMax);
    const uint64_t rest = end.value - begin.value - bytes;
    // The remaining bytes must also have room for a record's header.
    if (rest > 0 && rest < kRecordHeaderBytes) bytes -= kRecordHeaderBytes;
    if (bytes < kRecordHeaderBytes) {
      return absl::FailedPreconditionError(
          fmt::format("{} holds {} bytes at offset {} that are too few for any record; restore the file",
                      SegmentPath(folder_, start), bytes, begin.value - start.value));
    }
    std::string record(bytes, '\0');
    const RecordHeader header{.type = RecordType::kVoid,
                              .begin = begin,
                              .group_begin = begin,
                              .payload_bytes = static_cast<uint32_t>(bytes - kRecordHeaderBytes),
                              .payload_checksum = Crc32c(std::string_view(record).substr(kRecordHeaderBytes))};
    last_ = {begin, format.Encode(header, record.data())};
    if (auto status = file.Write(begin.value - start.value, record); !status.ok()) return status;
    begin = header.end();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<JournalReport> VerifyJournal(Disk& disk, const std::string& folder) {
  return JournalCheck(disk, folder, false).Run();
}

absl::StatusOr<JournalReport> RepairJournal(Disk& disk, const std::string& folder) {
  return JournalCheck(disk, folder, true).Run();
}

}  // namespace viewcount
