#include "service/grpc/http2/header_block.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdint>

#include "service/grpc/http2/http2_limits.h"

namespace viewcount {
namespace {

// The largest name or value that nghttp2 accepts (NGHTTP2_HD_MAX_NV in its sources).
constexpr size_t kStringBytesMax = 64 << 10;
// The length to which longer strings are shortened. It exceeds the size of the decoder's table
// (SETTINGS_HEADER_TABLE_SIZE, 4,096 bytes by default).
constexpr size_t kShortenedBytes = 4'200;
static_assert(kShortenedBytes > NGHTTP2_DEFAULT_HEADER_TABLE_SIZE);
// The largest frame that may be sent before our settings are acknowledged (RFC 9113, section 6.5.2).
constexpr size_t kFrameBytesMax = 16 << 10;

// Reads the pieces of a header block (RFC 7541). After a failure it reads nothing more. Not thread-safe.
class HpackReader {
 public:
  explicit HpackReader(std::string_view block) : rest_(block) {}

  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty() || failed_; }
  std::string_view rest() const { return rest_; }
  uint8_t peek() const { return rest_.empty() ? 0 : static_cast<uint8_t>(rest_[0]); }

  // Reads an integer whose first byte holds `prefix` bits of it (section 5.1).
  size_t ReadInteger(int prefix) {
    if (rest_.empty()) return Fail();
    const size_t mask = (size_t{1} << prefix) - 1;
    size_t value = peek() & mask;
    rest_.remove_prefix(1);
    if (value < mask) return value;
    for (int shift = 0;; shift += 7) {
      // Lengths in a block are far below 2^28.
      if (rest_.empty() || shift > 21) return Fail();
      const uint8_t byte = peek();
      rest_.remove_prefix(1);
      value += size_t{byte & 0x7FU} << shift;
      if ((byte & 0x80) == 0) return value;
    }
  }

  // Skips a string and returns its encoded length (section 5.2).
  size_t SkipString() {
    constexpr int kPrefix = 7;
    const size_t length = ReadInteger(kPrefix);
    if (failed_ || length > rest_.size()) return Fail();
    rest_.remove_prefix(length);
    return length;
  }

 private:
  size_t Fail() {
    failed_ = true;
    return 0;
  }

  std::string_view rest_;
  bool failed_ = false;
};

void AppendString(size_t bytes, std::string& out) {
  // The first byte holds lengths below 127. Otherwise it is 127, and the rest follows in groups of seven bits, the
  // lowest first.
  constexpr size_t kPrefixMax = 127;
  out += static_cast<char>(std::min(bytes, kPrefixMax));
  if (bytes >= kPrefixMax) {
    size_t rest = bytes - kPrefixMax;
    for (; rest >= 0x80; rest >>= 7) out += static_cast<char>(0x80 | (rest & 0x7F));
    out += static_cast<char>(rest);
  }
  out.append(bytes, 'x');
}

void AppendNumber(uint32_t number, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

// Returns the part of a HEADERS payload that belongs to the header block, without padding and priority (RFC 9113,
// section 6.2).
std::string_view FragmentOf(const FrameHead& headers, std::string_view payload) {
  constexpr size_t kPriorityBytes = 5;
  size_t padding = 0;
  if ((headers.flags & NGHTTP2_FLAG_PADDED) != 0 && !payload.empty()) {
    padding = static_cast<uint8_t>(payload[0]);
    payload.remove_prefix(1);
  }
  if ((headers.flags & NGHTTP2_FLAG_PRIORITY) != 0) payload.remove_prefix(std::min(kPriorityBytes, payload.size()));
  payload.remove_suffix(std::min(padding, payload.size()));
  return payload;
}

void AppendHead(const FrameHead& head, std::string& out) {
  AppendNumber(head.length, 3, out);
  AppendNumber(head.type, 1, out);
  AppendNumber(head.flags, 1, out);
  AppendNumber(static_cast<uint32_t>(head.stream), 4, out);
}

}  // namespace

std::optional<std::string> ShortenHeaderBlock(std::string_view block, size_t string_bytes_max,
                                              size_t replacement_bytes) {
  HpackReader reader(block);
  std::string shortened;
  // Starts at the first byte that was read but not copied yet.
  std::string_view pending = block;
  const auto copy_until = [&](std::string_view rest) {
    shortened.append(pending.substr(0, pending.size() - rest.size()));
    pending = rest;
  };
  const auto read_string = [&] {
    const std::string_view before = reader.rest();
    if (reader.SkipString() <= string_bytes_max) return;
    copy_until(before);
    AppendString(replacement_bytes, shortened);
    pending = reader.rest();
  };
  while (!reader.at_end()) {
    const uint8_t first = reader.peek();
    // An indexed header, or a change of the table's size (section 6).
    if ((first & 0x80) != 0) {
      reader.ReadInteger(7);
    } else if ((first & 0xE0) == 0x20) {
      reader.ReadInteger(5);
    } else {
      // A literal, with or without indexing. Its name is either a table index or a string that follows.
      const size_t name = reader.ReadInteger((first & 0xC0) == 0x40 ? 6 : 4);
      if (name == 0) read_string();
      read_string();
    }
  }
  if (reader.failed()) return std::nullopt;
  copy_until(reader.rest());
  return shortened;
}

bool HeaderCollector::IsNeeded(const FrameHead& headers) {
  return headers.length > kStringBytesMax || (headers.flags & NGHTTP2_FLAG_END_HEADERS) == 0;
}

HeaderCollector::HeaderCollector(const FrameHead& headers)
    : headers_(headers), missing_(headers.length), last_((headers.flags & NGHTTP2_FLAG_END_HEADERS) != 0) {
  AppendHead(headers, frames_);
  done_ = headers.length > kBytesMax;
}

void HeaderCollector::Take(std::string_view& bytes) {
  while (!done_ && !bytes.empty()) {
    const size_t of_frame = frames_.size() - frame_begin_;
    const size_t head_missing = FrameScanner::kHeadBytes - std::min(of_frame, FrameScanner::kHeadBytes);
    const size_t count = std::min(head_missing > 0 ? head_missing : missing_, bytes.size());
    frames_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    if (head_missing > count) return;
    if (head_missing > 0) {
      const auto byte = [&](size_t at) { return static_cast<uint8_t>(frames_[frame_begin_ + at]); };
      missing_ = size_t{byte(0)} << 16 | size_t{byte(1)} << 8 | byte(2);
      last_ = (byte(4) & NGHTTP2_FLAG_END_HEADERS) != 0;
      // nghttp2 answers any other frame between the frames of a block.
      if (byte(3) != NGHTTP2_CONTINUATION || frames_.size() + missing_ > kBytesMax) {
        done_ = true;
        return;
      }
    } else {
      missing_ -= count;
    }
    if (missing_ > 0) continue;
    const std::string_view payload = std::string_view(frames_).substr(frame_begin_ + FrameScanner::kHeadBytes);
    block_.append(frame_begin_ == 0 ? FragmentOf(headers_, payload) : payload);
    frame_begin_ = frames_.size();
    if (last_) whole_ = done_ = true;
  }
}

HeaderCollector::Result HeaderCollector::Finish() const {
  if (!whole_ || block_.size() <= kStringBytesMax) return {.frames = frames_};
  const auto shortened = ShortenHeaderBlock(block_, kShortenedBytes, kShortenedBytes);
  if (!shortened || shortened->size() == block_.size()) return {.frames = frames_};
  Result result{.shortened = true};
  for (size_t at = 0; at < shortened->size(); at += kFrameBytesMax) {
    const std::string_view fragment = std::string_view(*shortened).substr(at, kFrameBytesMax);
    const bool last = at + fragment.size() == shortened->size();
    FrameHead head{.length = static_cast<uint32_t>(fragment.size()), .stream = headers_.stream};
    head.type = at == 0 ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION;
    if (at == 0) head.flags = headers_.flags & NGHTTP2_FLAG_END_STREAM;
    if (last) head.flags |= NGHTTP2_FLAG_END_HEADERS;
    AppendHead(head, result.frames);
    result.frames.append(fragment);
  }
  return result;
}

}  // namespace viewcount
