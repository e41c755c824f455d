// Finds the frame boundaries in the bytes that a client sends (RFC 9113, sections 3.4 and 4.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace viewcount {

// The head of one frame. `length` is the size of the payload in bytes.
struct FrameHead {
  uint32_t length = 0;
  uint8_t type = 0;
  uint8_t flags = 0;
  int32_t stream = 0;
};

// Scans a client's bytes, which may arrive in pieces of any size. It expects the client's preface first, and does not
// verify it. Not thread-safe.
class FrameScanner {
 public:
  static constexpr size_t kHeadBytes = 9;

  // Scans up to the end of the next frame's head, and removes the scanned bytes from the front of `bytes`. Returns
  // nothing if `bytes` ends before that.
  std::optional<FrameHead> Next(std::string_view& bytes);
  // Forgets a partly received head, and returns how many of its bytes had arrived. The caller must pass these bytes to
  // Next again.
  size_t TakeBack() { return std::exchange(head_bytes_, 0); }
  // Sets the number of bytes before the next head. Needed when the caller has consumed the payload of the last reported
  // frame elsewhere.
  void Skip(size_t bytes) { skip_ = bytes; }

 private:
  static constexpr size_t kPrefaceBytes = 24;

  // The number of bytes before the next head.
  size_t skip_ = kPrefaceBytes;
  // The received bytes of the next head.
  uint8_t head_[kHeadBytes] = {};
  size_t head_bytes_ = 0;
};

}  // namespace viewcount
