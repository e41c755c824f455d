#include "service/journal/journal_writer.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <utility>

#include "service/base/check.h"
#include "service/base/crc32c.h"
#include "service/base/log_throttle.h"
#include "service/base/planted_bug.h"
#include "service/journal/format.h"
#include "service/journal/journal_recovery.h"
#include "service/journal/segment_pool.h"
#include "service/journal/segments.h"

namespace viewcount {
namespace {

// Smaller bodies are copied, which takes less time than a separate piece of a gathered write.
constexpr size_t kGatheredBytesMin = 2 << 10;
// The number of bytes written between two calls of DiskFile::Evict, each of which is a system call.
constexpr uint64_t kEvictBytes = 1 << 20;
// The last page is not evicted while more may be written to it, because it would then have to be read again.
constexpr uint64_t kPageBytes = 4 << 10;

}  // namespace

class JournalWriter::Impl {
 public:
  Impl(Disk& disk, const Clock& clock, Options options, RecoveredJournal recovered)
      : options_(std::move(options)),
        format_(options_.lane),
        pool_(disk, clock,
              {.folder = options_.folder,
               .segment_bytes = options_.segment_bytes,
               .budget_bytes = options_.budget_bytes,
               .retention = options_.retention},
              recovered.segments),
        end_(options_.begin.value) {
    if (recovered.segments.empty()) return;
    start_ = recovered.segments.back().start;
    // A segment of an older format gets no more records, so that older programs do not misread them.
    capacity_ = recovered.segments.back().version == kJournalFormatVersion ? recovered.segments.back().bytes : 0;
    file_ = std::move(recovered.file);
    last_ = recovered.last;
    sealed_ = recovered.sealed;
    end_ = written_ = recovered.end.value;
  }

  void SetPreamble(std::function<std::vector<RecordDraft>()> preamble) { preamble_ = std::move(preamble); }
  absl::Status Begin(size_t records, size_t bytes);
  Position Append(RecordType type, std::string_view head, std::string_view body, Body kind);
  absl::Status Commit();
  void WriteCommitMarker();

  Position end() const { return {end_.load(std::memory_order_acquire)}; }
  Position begin() const { return pool_.begin().value_or(options_.begin); }
  SegmentPool& pool() { return pool_; }
  const SegmentPool& pool() const { return pool_; }

 private:
  // The bytes of a group. Its first record is to begin at `at`. Everything before `group_begin` is durable.
  struct Group {
    // Bytes that are not copied before they are written. `behind` is the number of bytes of `copied` that precede them.
    struct Outside {
      size_t behind = 0;
      std::string_view bytes;
    };
    std::string copied;
    std::vector<Outside> outside;
    // The number of bytes in `copied` and in `outside` together.
    uint64_t bytes = 0;
    Position at;
    Position group_begin;
    RecordMark last;
  };
  void AppendTo(Group& group, RecordType type, std::string_view head, std::string_view body, Body kind) const;
  absl::Status WriteGroup();
  void EvictWritten();
  absl::Status Rotate(uint64_t room);
  SegmentHeader NextHeader() const;
  absl::Status Fail(absl::Status status) { return failed_ = std::move(status); }

  const Options options_;
  const RecordFormat format_;
  SegmentPool pool_;
  std::function<std::vector<RecordDraft>()> preamble_ = [] { return std::vector<RecordDraft>(); };
  // The newest segment. There is no file before the first segment.
  Position start_;
  uint64_t capacity_ = 0;
  std::unique_ptr<DiskFile> file_;
  // The offset in the file up to which pages were evicted.
  uint64_t evicted_ = 0;
  // The mark of the last durable record, and the position after it.
  RecordMark last_;
  std::atomic<uint64_t> end_;
  // Where the next group begins: at end_, or after a commit record that is not durable yet.
  uint64_t written_ = 0;
  // True if the last group is followed by its commit record.
  bool sealed_ = false;
  Group group_;
  // Used by WriteGroup; a member so that its memory is reused.
  std::vector<std::string_view> pieces_;
  // The bytes that Begin made room for, less those that were appended.
  uint64_t room_ = 0;
  // The error after which nothing is written any more.
  absl::Status failed_;
  LogThrottle seal_lines_;
};

void JournalWriter::Impl::AppendTo(Group& group, RecordType type, std::string_view head, std::string_view body,
                                   Body kind) const {
  VIEWCOUNT_CHECK(head.size() + body.size() <= limits::kJournalPayloadBytesMax);
  const RecordHeader header{.type = type,
                            .begin = {group.at.value + group.bytes},
                            .group_begin = group.group_begin,
                            .payload_bytes = static_cast<uint32_t>(head.size() + body.size()),
                            .payload_checksum = Crc32c(body, Crc32c(head))};
  char bytes[kRecordHeaderBytes];
  group.last = {header.begin, format_.Encode(header, bytes)};
  group.copied.append(bytes, sizeof(bytes)).append(head);
  if (kind == Body::kBorrow && body.size() >= kGatheredBytesMin) {
    group.outside.push_back({group.copied.size(), body});
  } else {
    group.copied.append(body);
  }
  group.bytes += sizeof(bytes) + head.size() + body.size();
}

absl::Status JournalWriter::Impl::Begin(size_t records, size_t bytes) {
  if (!failed_.ok()) return failed_;
  const uint64_t need = records * kRecordHeaderBytes + bytes;
  // Each group is followed by room for a commit record.
  const uint64_t room = need + kRecordHeaderBytes;
  if (file_ == nullptr || written_ + room > start_.value + capacity_) {
    if (auto status = Rotate(room); !status.ok()) return status;
  }
  group_.copied.clear();
  group_.outside.clear();
  group_.bytes = 0;
  group_.at = {written_};
  group_.group_begin = end();
  room_ = need;
  return absl::OkStatus();
}

SegmentHeader JournalWriter::Impl::NextHeader() const {
  SegmentHeader header{.lane = options_.lane, .start = end()};
  if (file_ != nullptr) {
    header.previous_start = start_;
    header.previous_last = last_;
  }
  return header;
}

absl::Status JournalWriter::Impl::Rotate(uint64_t room) {
  // A commit record that is not durable remains in the old segment, which ends before it.
  const SegmentHeader header = NextHeader();
  const auto header_bytes = EncodeSegmentHeader(header);
  const Position first{header.start.value + kSegmentHeaderBytes};
  Group preamble{.at = first, .group_begin = first, .last = MarkOf(header)};
  for (const RecordDraft& record : preamble_()) AppendTo(preamble, record.type, record.payload, {}, Body::kCopy);
  preamble.copied.insert(0, header_bytes.data(), header_bytes.size());

  auto spare = pool_.Take(preamble.copied.size() + room);
  if (!spare.ok()) return absl::IsResourceExhausted(spare.status()) ? spare.status() : Fail(spare.status());
  const auto written = spare->file->Write(0, preamble.copied);
  if (!written.ok()) {
    // The next attempt may write other records at the same positions.
    if (auto status = pool_.Discard(*std::move(spare)); !status.ok()) return Fail(status);
    return absl::IsResourceExhausted(written) ? pool_.NoRoom(written) : Fail(written);
  }
  if (auto status = spare->file->Sync(); !status.ok()) return Fail(status);
  const uint64_t capacity = spare->bytes;
  auto file = pool_.Publish(*std::move(spare), header.start);
  if (!file.ok()) return Fail(file.status());
  file_ = *std::move(file);
  start_ = header.start;
  evicted_ = 0;
  capacity_ = capacity;
  last_ = preamble.last;
  sealed_ = false;
  written_ = header.start.value + preamble.copied.size();
  end_.store(written_, std::memory_order_release);
  return absl::OkStatus();
}

Position JournalWriter::Impl::Append(RecordType type, std::string_view head, std::string_view body, Body kind) {
  const uint64_t bytes = kRecordHeaderBytes + head.size() + body.size();
  VIEWCOUNT_CHECK(bytes <= room_);
  room_ -= bytes;
  AppendTo(group_, type, head, body, kind);
  return {group_.at.value + group_.bytes};
}

absl::Status JournalWriter::Impl::WriteGroup() {
  pieces_.clear();
  const std::string_view copied = group_.copied;
  size_t begin = 0;
  for (const Group::Outside& outside : group_.outside) {
    pieces_.push_back(copied.substr(begin, outside.behind - begin));
    pieces_.push_back(outside.bytes);
    begin = outside.behind;
  }
  if (begin < copied.size()) pieces_.push_back(copied.substr(begin));
  return file_->WriteGathered(written_ - start_.value, pieces_);
}

// The journal is read only after a failure. Without eviction it would fill the machine's memory with new pages. That
// costs the write more than the copying does, and displaces data that other processes need.
void JournalWriter::Impl::EvictWritten() {
  const uint64_t end = (written_ - start_.value) / kPageBytes * kPageBytes;
  if (end < evicted_ + kEvictBytes) return;
  file_->Evict(evicted_, end - evicted_);
  evicted_ = end;
}

absl::Status JournalWriter::Impl::Commit() {
  if (!failed_.ok()) return failed_;
  room_ = 0;
  if (group_.bytes == 0) return absl::OkStatus();
  if (auto status = WriteGroup(); !status.ok()) return Fail(status);
  if (auto status = Planted(PlantedBug::kSkipSync) ? absl::OkStatus() : file_->Sync(); !status.ok())
    return Fail(status);
  written_ += group_.bytes;
  last_ = group_.last;
  sealed_ = false;
  group_.copied.clear();
  group_.outside.clear();
  group_.bytes = 0;
  end_.store(written_, std::memory_order_release);
  EvictWritten();
  return absl::OkStatus();
}

void JournalWriter::Impl::WriteCommitMarker() {
  if (!failed_.ok() || file_ == nullptr || sealed_ || group_.bytes != 0) return;
  if (written_ + kRecordHeaderBytes > start_.value + capacity_) return;
  Group commit{.at = {written_}, .group_begin = {written_}};
  AppendTo(commit, RecordType::kCommit, {}, {}, Body::kCopy);
  if (auto status = file_->Write(written_ - start_.value, commit.copied); !status.ok()) {
    if (seal_lines_.Take()) {
      spdlog::warn("journal: cannot note that the last group is durable: {}", std::string(status.message()));
    }
    return;
  }
  written_ += commit.bytes;
  sealed_ = true;
  // `last_` does not change: the commit record is not durable, so the chain of segments does not include it.
}

absl::StatusOr<std::unique_ptr<JournalWriter>> JournalWriter::Open(Disk& disk, const Clock& clock, Options options) {
  auto recovered = RecoverJournal(disk, options.folder, options.lane, options.segment_bytes);
  if (!recovered.ok()) return recovered.status();
  auto impl = std::make_unique<Impl>(disk, clock, std::move(options), *std::move(recovered));
  return std::unique_ptr<JournalWriter>(new JournalWriter(std::move(impl)));
}

JournalWriter::JournalWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JournalWriter::~JournalWriter() = default;

void JournalWriter::SetPreamble(std::function<std::vector<RecordDraft>()> preamble) {
  impl_->SetPreamble(std::move(preamble));
}
absl::Status JournalWriter::Begin(size_t records, size_t bytes) { return impl_->Begin(records, bytes); }
Position JournalWriter::Append(RecordType type, std::string_view head, std::string_view body, Body kind) {
  return impl_->Append(type, head, body, kind);
}
absl::Status JournalWriter::Commit() { return impl_->Commit(); }
void JournalWriter::WriteCommitMarker() { impl_->WriteCommitMarker(); }
Position JournalWriter::end() const { return impl_->end(); }
Position JournalWriter::begin() const { return impl_->begin(); }
uint64_t JournalWriter::bytes() const { return impl_->pool().bytes(); }
void JournalWriter::SetLimits(uint64_t budget_bytes, std::chrono::milliseconds retention) {
  impl_->pool().SetLimits(budget_bytes, retention);
}

absl::Status JournalWriter::Maintain(Position needed) { return impl_->pool().Maintain(needed); }
JournalWriter::Pin JournalWriter::Hold(Position from) { return Pin(impl_->pool().pins(), from); }

JournalWriter::Pin::Pin(std::shared_ptr<JournalPins> pins, Position from) : pins_(std::move(pins)), from_(from) {
  pins_->Add(from_);
}
JournalWriter::Pin& JournalWriter::Pin::operator=(Pin&& other) noexcept {
  std::swap(pins_, other.pins_);
  std::swap(from_, other.from_);
  return *this;
}
JournalWriter::Pin::~Pin() {
  if (pins_ != nullptr) pins_->Remove(from_);
}

}  // namespace viewcount
