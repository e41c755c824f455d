#include "client/cli/line_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "service/base/check.h"

namespace viewcount::cli {

static_assert(kHeadBytes <= kLineBytesMax);

// The buffer has twice the size of a line, so that a line and the next read fit.
LineReader::LineReader(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)), buffer_(2 * kLineBytesMax, '\0') {}

absl::StatusOr<bool> LineReader::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (decoder_) return FillDecoded();
  const auto count = source_->Read(buffer_.data() + end_, buffer_.size() - end_);
  if (!count.ok()) return count.status();
  end_ += *count;
  if (!encoding_known_) DetectEncoding();
  return *count > 0;
}

void LineReader::DetectEncoding() {
  if (end_ < 2) return;
  encoding_known_ = true;
  const std::string_view mark(buffer_.data(), 2);
  if (mark != "\xFF\xFE" && mark != "\xFE\xFF") return;
  decoder_.emplace(mark == "\xFE\xFF");
  // A decoded text may be longer than the buffer, so it is decoded from a copy that has at most half of it.
  const std::string bytes = buffer_.substr(2, end_ - 2);
  end_ = 0;
  buffer_.resize(4 * kLineBytesMax);
  Append(decoder_->Decode(bytes));
}

absl::StatusOr<bool> LineReader::FillDecoded() {
  std::string bytes((buffer_.size() - end_) / 2, '\0');
  const auto count = source_->Read(bytes.data(), bytes.size());
  if (!count.ok()) return count.status();
  Append(decoder_->Decode(std::string_view(bytes).substr(0, *count)));
  return *count > 0;
}

void LineReader::Append(std::string_view text) {
  VIEWCOUNT_CHECK(text.size() <= buffer_.size() - end_);
  std::memcpy(buffer_.data() + end_, text.data(), text.size());
  end_ += text.size();
}

absl::Status LineReader::Rewind() {
  if (auto status = source_->Rewind(); !status.ok()) return status;
  begin_ = end_ = 0;
  number_ = 0;
  encoding_known_ = too_long_ = false;
  decoder_.reset();
  return absl::OkStatus();
}

absl::StatusOr<std::string_view> LineReader::Head() {
  VIEWCOUNT_CHECK(number_ == 0);
  while (end_ - begin_ < kHeadBytes) {
    const auto more = Fill();
    if (!more.ok()) return more.status();
    if (!*more) break;
  }
  return std::string_view(buffer_).substr(begin_, std::min(end_ - begin_, kHeadBytes));
}

absl::StatusOr<bool> LineReader::Next(LogLine& line, UnfinishedLine unfinished) {
  line = LogLine{};
  // The length of the buffered part that was already searched for a line end.
  size_t searched = 0;
  for (;;) {
    const char* const from = buffer_.data() + begin_;
    const size_t buffered = end_ - begin_;
    const void* const found = std::memchr(from + searched, '\n', buffered - searched);
    if (found != nullptr) {
      const auto length = static_cast<size_t>(static_cast<const char*>(found) - from);
      too_long_ |= length > kLineBytesMax;
      line.text = {from, std::min(length, kLineBytesMax)};
      begin_ += length + 1;
      break;
    }
    searched = buffered;
    if (buffered > kLineBytesMax) {
      // The beginning of the line stays in the buffer. The bytes after kLineBytesMax are discarded.
      too_long_ = true;
      end_ = begin_ + kLineBytesMax;
      searched = kLineBytesMax;
    }
    const auto more = Fill();
    if (!more.ok()) return more.status();
    if (*more) continue;
    if (begin_ == end_ || !source_->damage().empty() || unfinished == UnfinishedLine::kLeave) return false;
    line.text = {buffer_.data() + begin_, end_ - begin_};
    line.unfinished = true;
    begin_ = end_;
    break;
  }
  line.number = ++number_;
  line.too_long = std::exchange(too_long_, false);
  if (line.number == 1 && line.text.substr(0, kUtf8Mark.size()) == kUtf8Mark) {
    line.text.remove_prefix(kUtf8Mark.size());
  }
  return true;
}

}  // namespace viewcount::cli
