#include "service/journal/segment_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "service/base/check.h"
#include "service/base/crc32c.h"
#include "service/base/limits.h"

namespace viewcount {

SegmentReader::SegmentReader(DiskFile& file, const LaneId& lane, Position start, Position limit)
    : file_(file), format_(lane), start_(start), limit_(limit), position_{start.value + kSegmentHeaderBytes} {
  buffer_begin_ = position_;
}

absl::StatusOr<SegmentReader::Step> SegmentReader::Next() {
  header_.reset();
  payload_ = {};
  if (position_ >= limit_) return Step::kEnd;
  auto bytes = View(position_, kRecordHeaderBytes);
  if (!bytes.ok()) return bytes.status();
  if (bytes->size() < kRecordHeaderBytes) return Step::kBroken;
  const auto header = format_.Decode(position_, bytes->data());
  // A group never spans two segments.
  if (!header || header->end() > limit_ || header->group_begin < start_) return Step::kBroken;
  header_ = header;
  bytes = View(position_, kRecordHeaderBytes + header->payload_bytes);
  if (!bytes.ok()) return bytes.status();
  if (bytes->size() < kRecordHeaderBytes + header->payload_bytes) return Step::kBroken;
  const std::string_view payload = bytes->substr(kRecordHeaderBytes);
  if (Crc32c(payload) != header->payload_checksum) return Step::kBroken;
  payload_ = payload;
  position_ = header->end();
  return Step::kRecord;
}

absl::StatusOr<std::optional<RecordHeader>> SegmentReader::FindHeader(Position from) {
  while (from < limit_) {
    const auto bytes = View(from, limits::kJournalReadBytes);
    if (!bytes.ok()) return bytes.status();
    if (bytes->size() < kRecordHeaderBytes) break;
    const size_t places = bytes->size() - kRecordHeaderBytes + 1;
    for (size_t i = 0; i < places; ++i) {
      if (!RecordFormat::IsPlausible(bytes->data() + i)) continue;
      const auto header = format_.Decode({from.value + i}, bytes->data() + i);
      if (header && header->end() <= limit_) return header;
    }
    from.value += places;
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<RecordHeader>> SegmentReader::FindProof() {
  Position from{position_.value + kRecordHeaderBytes};
  while (true) {
    auto header = FindHeader(from);
    if (!header.ok() || !header->has_value() || (*header)->group_begin > position_) return header;
    from = (*header)->end();
  }
}

absl::StatusOr<uint64_t> SegmentReader::TornBytes() {
  Position end = header_ ? header_->end() : position_;
  while (true) {
    const auto header = FindHeader(std::max(end, Position{position_.value + kRecordHeaderBytes}));
    if (!header.ok()) return header.status();
    if (!header->has_value()) return end.value - position_.value;
    end = (*header)->end();
  }
}

absl::StatusOr<std::string_view> SegmentReader::View(Position at, size_t bytes) {
  VIEWCOUNT_CHECK(at >= start_);
  if (at >= limit_) return std::string_view();
  bytes = std::min<uint64_t>(bytes, limit_.value - at.value);
  const bool inside = at >= buffer_begin_ && at.value <= buffer_begin_.value + filled_;
  if (!inside) filled_ = 0, buffer_begin_ = at;
  if (at.value + bytes > buffer_begin_.value + filled_) {
    // The bytes that were read already move to the front.
    const size_t known = buffer_begin_.value + filled_ - at.value;
    const size_t offset = filled_ - known;
    Reserve(std::max(bytes, limits::kJournalReadBytes));
    std::memmove(buffer_.get(), buffer_.get() + offset, known);
    buffer_begin_ = at;
    filled_ = known;
    const size_t wanted = std::min<uint64_t>(capacity_, limit_.value - at.value) - known;
    const auto count = file_.Read(at.value + known - start_.value, {buffer_.get() + known, wanted});
    if (!count.ok()) return count.status();
    filled_ += *count;
  }
  const size_t offset = at.value - buffer_begin_.value;
  return std::string_view(buffer_.get() + offset, std::min(bytes, filled_ - offset));
}

void SegmentReader::Reserve(size_t bytes) {
  if (bytes <= capacity_) return;
  auto larger = std::make_unique_for_overwrite<char[]>(bytes);
  if (filled_ > 0) std::memcpy(larger.get(), buffer_.get(), filled_);
  buffer_ = std::move(larger);
  capacity_ = bytes;
}

}  // namespace viewcount
