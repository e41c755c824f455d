// Finds the frames in the bytes that a client sends (RFC 9113, sections 3.4 and 4.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

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
  static constexpr size_t kHeadBytes = 9;

  // Goes on to the end of the next frame's head, which takes bytes off the front of `bytes`. Nothing if the bytes end
  // before that.
  std::optional<FrameHead> Next(std::string_view& bytes);
  // Forgets a head that has come in part, and returns how many bytes of it had: they must come again.
  size_t TakeBack() { return std::exchange(head_bytes_, 0); }
  // The next head comes after so many bytes, since somebody else has taken the frame that was reported last.
  void Skip(size_t bytes) { skip_ = bytes; }

 private:
  static constexpr size_t kPrefaceBytes = 24;

  // Bytes up to the next head.
  size_t skip_ = kPrefaceBytes;
  // What has come of the next head.
  uint8_t head_[kHeadBytes] = {};
  size_t head_bytes_ = 0;
};

}  // namespace viewcount
