#include "client/cli/line_reader.h"

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
  const auto count = source_->Read(buffer_.data() + end_, buffer_.size() - end_);
  if (!count.ok()) return count.status();
  end_ += *count;
  return *count > 0;
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

absl::StatusOr<bool> LineReader::Next(LogLine& line) {
  line = LogLine{};
  // The length of the buffered part that was already searched for a line end.
  size_t searched = 0;
  for (;;) {
    const char* const from = buffer_.data() + begin_;
    const size_t buffered = end_ - begin_;
    const void* const found = std::memchr(from + searched, '\n', buffered - searched);
    if (found != nullptr) {
      const auto length = static_cast<size_t>(static_cast<const char*>(found) - from);
      line.too_long |= length > kLineBytesMax;
      line.text = {from, std::min(length, kLineBytesMax)};
      begin_ += length + 1;
      break;
    }
    searched = buffered;
    if (buffered > kLineBytesMax) {
      // The beginning of the line stays in the buffer. The bytes after kLineBytesMax are discarded.
      line.too_long = true;
      end_ = begin_ + kLineBytesMax;
      searched = kLineBytesMax;
    }
    const auto more = Fill();
    if (!more.ok()) return more.status();
    if (*more) continue;
    if (begin_ == end_ || !source_->damage().empty()) return false;
    line.text = {buffer_.data() + begin_, end_ - begin_};
    line.unfinished = true;
    begin_ = end_;
    break;
  }
  line.number = ++number_;
  return true;
}

}  // namespace viewcount::cli
