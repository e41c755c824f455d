// Finds the frames in the bytes that a client sends (RFC 9113, sections 3.4 and 4.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace viewcount {

// The head of one frame.
struct FrameHead {
  uint32_t length = 0;
  uint8_t type = 0;
  uint8_t flags = 0;
  int32_t stream = 0;
};

// Walks through what comes, in pieces of any size. It expects the client's preface first, and does not check it. One
// thread.
class FrameScanner {
 public:
  // Goes on to the end of the next frame's head, which takes bytes off the front of `bytes`. Nothing if the bytes end
  // before that.
  std::optional<FrameHead> Next(std::string_view& bytes);

 private:
  static constexpr size_t kPrefaceBytes = 24;
  static constexpr size_t kHeadBytes = 9;

  // Bytes up to the next head.
  size_t skip_ = kPrefaceBytes;
  // What has come of the next head.
  uint8_t head_[kHeadBytes] = {};
  size_t head_bytes_ = 0;
};

}  // namespace viewcount
