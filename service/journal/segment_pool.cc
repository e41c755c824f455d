#include "service/journal/segment_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "service/base/limits.h"
#include "service/base/planted_bug.h"
#include "service/base/service_full.h"
#include "service/base/status.h"
#include "service/journal/segments.h"

namespace viewcount {

namespace {

// A budget must hold at least this many segments. limits::kJournalBudgetBytesMin is this number of the smallest
// segments.
constexpr uint64_t kSegmentsMin = limits::kJournalBudgetBytesMin / limits::kJournalSegmentBytesMin;

}  // namespace

absl::Status SegmentPool::NoRoom(const absl::Status& status) {
  return ServiceFull(ToStd(status.message()), kFullDisk, limits::kRetryDelay);
}

void JournalPins::Add(Position from) {
  const MutexLock lock(mutex_);
  pins_.insert(from);
}

void JournalPins::Remove(Position from) {
  const MutexLock lock(mutex_);
  pins_.erase(pins_.find(from));
}

std::optional<Position> JournalPins::First() const {
  const MutexLock lock(mutex_);
  return pins_.empty() ? std::nullopt : std::optional(*pins_.begin());
}

SegmentPool::SegmentPool(Disk& disk, const Clock& clock, Options options, const std::vector<SegmentFile>& segments)
    : disk_(disk),
      clock_(clock),
      folder_(std::move(options.folder)),
      segment_bytes_(options.segment_bytes),
      budget_bytes_(options.budget_bytes),
      retention_(options.retention) {
  for (const SegmentFile& segment : segments) {
    segments_.push_back({segment, std::nullopt});
    bytes_ += segment.bytes;
  }
}

absl::Status SegmentPool::Reserve(uint64_t bytes) {
  const MutexLock lock(mutex_);
  if (bytes_ + bytes > budget_bytes_) {
    return ServiceFull(fmt::format("the journal in {} holds {} bytes and may hold {}: it waits for the store", folder_,
                                   bytes_, budget_bytes_),
                       kFullBudget, limits::kRetryDelay);
  }
  bytes_ += bytes;
  return absl::OkStatus();
}

std::string SegmentPool::NextSparePath() {
  const MutexLock lock(mutex_);
  return SparePath(folder_, ++spare_number_);
}

absl::StatusOr<SegmentPool::Spare> SegmentPool::Make(uint64_t bytes) {
  if (auto status = Reserve(bytes); !status.ok()) return status;
  Spare spare{.path = NextSparePath(), .bytes = bytes};
  auto file = disk_.Create(spare.path);
  absl::Status made = file.status();
  if (made.ok()) made = (*file)->Allocate(bytes);
  if (made.ok()) made = (*file)->Sync();
  if (made.ok()) {
    spare.file = *std::move(file);
    return spare;
  }
  if (file.ok()) {
    if (auto status = Discard({.path = spare.path, .file = *std::move(file), .bytes = bytes}); !status.ok())
      return status;
  } else {
    const MutexLock lock(mutex_);
    bytes_ -= bytes;
  }
  return absl::IsResourceExhausted(made) ? NoRoom(made) : made;
}

absl::StatusOr<SegmentPool::Spare> SegmentPool::Take(uint64_t bytes) {
  bytes = std::max(bytes, segment_bytes_);
  auto spare = TakeOrMake(bytes);
  if (spare.ok() || !absl::IsResourceExhausted(spare.status())) return spare;
  // Maintain runs periodically, and a fast lane can fill segments in between. Segments that may be deleted are
  // therefore reused now.
  const MutexLock one(maintain_mutex_);
  while (const auto segment = Release(true)) {
    if (auto status = Recycle(*segment); !status.ok()) return status;
    spare = TakeOrMake(bytes);
    if (spare.ok() || !absl::IsResourceExhausted(spare.status())) break;
  }
  return spare;
}

absl::StatusOr<SegmentPool::Spare> SegmentPool::TakeOrMake(uint64_t bytes) {
  std::optional<Spare> spare;
  {
    const MutexLock lock(mutex_);
    if (!spares_.empty()) {
      spare = std::move(spares_.back());
      spares_.pop_back();
    }
  }
  if (!spare) return Make(bytes);
  if (spare->bytes >= bytes) return *std::move(spare);
  // The group or the preamble is unusually large.
  if (auto status = Discard(*std::move(spare)); !status.ok()) return status;
  return Make(bytes);
}

absl::Status SegmentPool::Discard(Spare spare) {
  spare.file.reset();
  if (auto status = disk_.Remove(spare.path); !status.ok()) return status;
  const MutexLock lock(mutex_);
  bytes_ -= spare.bytes;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<DiskFile>> SegmentPool::Publish(Spare spare, Position start) {
  if (auto status = disk_.Rename(spare.path, SegmentPath(folder_, start)); !status.ok()) return status;
  if (Planted(PlantedBug::kSkipFolderSync)) {
  } else if (auto status = disk_.SyncFolder(folder_); !status.ok()) {
    return status;
  }
  const MutexLock lock(mutex_);
  segments_.push_back({{start, spare.bytes}, std::nullopt});
  return std::move(spare.file);
}

absl::Status SegmentPool::Maintain(Position needed) {
  const MutexLock one(maintain_mutex_);
  MarkDone(needed);
  while (const auto segment = Release(false)) {
    if (auto status = Recycle(*segment); !status.ok()) return status;
  }
  while (!HasSpare()) {
    auto spare = Make(segment_bytes_);
    if (spare.ok()) {
      const MutexLock lock(mutex_);
      spares_.push_back(*std::move(spare));
      return absl::OkStatus();
    }
    if (!absl::IsResourceExhausted(spare.status())) return spare.status();
    const auto segment = Release(true);
    if (!segment) return spare.status();
    if (auto status = Recycle(*segment); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void SegmentPool::SetLimits(uint64_t budget_bytes, std::chrono::milliseconds retention) {
  const MutexLock lock(mutex_);
  // A lane needs this many segments: it writes one, keeps the one before it, and prepares the next ones.
  budget_bytes_ = std::max(budget_bytes, kSegmentsMin * segment_bytes_);
  retention_ = retention;
}

bool SegmentPool::HasSpare() const {
  const MutexLock lock(mutex_);
  return !spares_.empty();
}

void SegmentPool::MarkDone(Position needed) {
  const SteadyTime now = clock_.Now();
  const MutexLock lock(mutex_);
  for (size_t i = 0; i + 1 < segments_.size(); ++i) {
    const bool done = segments_[Planted(PlantedBug::kTrimEarly) ? i : i + 1].file.start <= needed;
    if (!done) segments_[i].done.reset();
    if (done && !segments_[i].done) segments_[i].done = now;
  }
}

std::optional<SegmentFile> SegmentPool::Release(bool early) {
  const SteadyTime now = clock_.Now();
  const MutexLock lock(mutex_);
  if (segments_.size() < 2 || !segments_[0].done) return std::nullopt;
  if (!early && now - *segments_[0].done < retention_) return std::nullopt;
  const auto pinned = pins_->First();
  if (pinned && *pinned < segments_[1].file.start) return std::nullopt;
  const SegmentFile segment = segments_[0].file;
  segments_.pop_front();
  return segment;
}

absl::Status SegmentPool::Recycle(const SegmentFile& segment) {
  // Files are renamed one at a time, and each change is durable before the next. A crash must not leave a segment that
  // is older than a gap.
  Spare spare{.path = NextSparePath(), .bytes = segment.bytes};
  if (auto status = disk_.Rename(SegmentPath(folder_, segment.start), spare.path); !status.ok()) return status;
  if (auto status = disk_.SyncFolder(folder_); !status.ok()) return status;
  {
    const MutexLock lock(mutex_);
    if (segment.bytes != segment_bytes_ || spares_.size() >= limits::kJournalSparesMax) spare.bytes = 0;
  }
  if (spare.bytes == 0) return Discard({.path = spare.path, .bytes = segment.bytes});
  auto file = disk_.Open(spare.path);
  if (!file.ok()) return file.status();
  spare.file = *std::move(file);
  const MutexLock lock(mutex_);
  spares_.push_back(std::move(spare));
  return absl::OkStatus();
}

std::optional<Position> SegmentPool::begin() const {
  const MutexLock lock(mutex_);
  return segments_.empty() ? std::nullopt : std::optional(segments_.front().file.start);
}

uint64_t SegmentPool::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace viewcount
