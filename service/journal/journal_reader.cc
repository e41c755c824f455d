#include "service/journal/journal_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "service/journal/segment_reader.h"
#include "service/journal/segments.h"

namespace viewcount {

class JournalReader::Impl {
 public:
  Impl(Disk& disk, std::string folder, LaneId lane, std::vector<Position> segments, Position to)
      : disk_(disk), folder_(std::move(folder)), lane_(lane), segments_(std::move(segments)), to_(to) {}

  // Opens the next segment at its beginning.
  absl::Status Enter();
  absl::StatusOr<bool> Next(Record& record);

 private:
  Disk& disk_;
  const std::string folder_;
  const LaneId lane_;
  // The segments to read.
  const std::vector<Position> segments_;
  const Position to_;
  size_t entered_ = 0;
  std::unique_ptr<DiskFile> file_;
  std::optional<SegmentReader> segment_;
  SegmentHeader header_;
};

absl::Status JournalReader::Impl::Enter() {
  const Position start = segments_[entered_];
  auto header = ReadSegmentHeader(disk_, folder_, start, lane_);
  if (!header.ok()) return header.status();
  if (entered_ > 0) {
    if (auto status = CheckFollows(disk_, folder_, header_, *header); !status.ok()) return status;
  }
  header_ = *header;
  ++entered_;
  auto file = disk_.OpenForReading(SegmentPath(folder_, start));
  if (!file.ok()) return file.status();
  const Position limit = entered_ < segments_.size() ? std::min(segments_[entered_], to_) : to_;
  // The reader must be destroyed before its file.
  segment_.reset();
  file_ = *std::move(file);
  segment_.emplace(*file_, lane_, start, limit);
  return absl::OkStatus();
}

absl::StatusOr<bool> JournalReader::Impl::Next(Record& record) {
  if (!segment_) return false;
  while (true) {
    const auto step = segment_->Next();
    if (!step.ok()) return step.status();
    if (*step == SegmentReader::Step::kBroken) {
      return BrokenJournal(folder_, header_.start, segment_->position(), "there is no whole record");
    }
    if (*step == SegmentReader::Step::kEnd) {
      if (entered_ == segments_.size()) return false;
      if (auto status = Enter(); !status.ok()) return status;
      continue;
    }
    const RecordHeader& header = *segment_->header();
    if (header.type == RecordType::kVoid || header.type == RecordType::kCommit) continue;
    record = {.type = header.type, .begin = header.begin, .end = header.end(), .payload = segment_->payload()};
    return true;
  }
}

absl::StatusOr<JournalReader> JournalReader::Open(Disk& disk, const std::string& folder, LaneId lane, Position from,
                                                  Position to) {
  auto segments = ListSegments(disk, folder);
  if (!segments.ok()) return segments.status();
  // The segments from the one that holds `from` to the last one that begins before `to`.
  const auto behind = std::upper_bound(segments->begin(), segments->end(), from);
  const bool reached = behind != segments->begin();
  if (from < to && !reached) {
    return absl::OutOfRangeError(
        segments->empty()
            ? fmt::format("the journal in {} is empty, not at {}", folder, from.value)
            : fmt::format("the journal in {} begins at {}, not at {}", folder, segments->front().value, from.value));
  }
  std::vector<Position> needed;
  if (from < to) needed.assign(behind - 1, std::lower_bound(behind, segments->end(), to));
  const bool any = !needed.empty();
  auto impl = std::make_unique<Impl>(disk, folder, lane, std::move(needed), to);
  if (any) {
    if (auto status = impl->Enter(); !status.ok()) return status;
  }
  return JournalReader(std::move(impl));
}

JournalReader::JournalReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JournalReader::JournalReader(JournalReader&&) noexcept = default;
JournalReader::~JournalReader() = default;

absl::StatusOr<bool> JournalReader::Next(Record& record) { return impl_->Next(record); }

}  // namespace viewcount
