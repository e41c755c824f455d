#include "service/grpc/http2/frame_scanner.h"

#include <algorithm>

namespace viewcount {

std::optional<FrameHead> FrameScanner::Next(std::string_view& bytes) {
  const size_t skipped = std::min(skip_, bytes.size());
  skip_ -= skipped;
  bytes.remove_prefix(skipped);
  const size_t count = std::min(kHeadBytes - head_bytes_, bytes.size());
  std::copy_n(bytes.data(), count, head_ + head_bytes_);
  head_bytes_ += count;
  bytes.remove_prefix(count);
  if (head_bytes_ < kHeadBytes) return std::nullopt;
  head_bytes_ = 0;
  skip_ = size_t{head_[0]} << 16 | size_t{head_[1]} << 8 | head_[2];
  // The highest bit of the stream ID is reserved.
  const uint32_t stream =
      (uint32_t{head_[5]} << 24 | uint32_t{head_[6]} << 16 | uint32_t{head_[7]} << 8 | head_[8]) & 0x7FFF'FFFF;
  return FrameHead{.length = static_cast<uint32_t>(skip_),
                   .type = head_[3],
                   .flags = head_[4],
                   .stream = static_cast<int32_t>(stream)};
}

}  // namespace viewcount
