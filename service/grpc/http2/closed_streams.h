// Remembers which streams of a connection were closed, and by which side. RFC 9113 (section 5.1) requires different
// answers to late frames depending on that.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace viewcount {

// Not thread-safe. Its memory is bounded; the members state the bounds.
class ClosedStreams {
 public:
  // The state of a stream without a call, on which a frame has arrived.
  enum class Kind : uint8_t {
    kNew,          // The ID is higher than all earlier ones, so the stream is idle, not closed.
    kResetByUs,    // We reset the stream. The peer may not know yet that it is closed.
    kResetByPeer,  // The peer sends a frame after its own RST_STREAM.
    kEnded,        // Both sides had ended the stream.
    kUnknown,      // The stream never began, or was closed long ago.
  };

  // Records that the peer began a stream by HEADERS.
  void Begun(int32_t stream) { last_begun_ = stream; }
  // Records that RST_STREAM was sent for a stream.
  void ResetByUs(int32_t stream);
  // Records that a stream was closed. `by_peer` is true if the peer's RST_STREAM closed it.
  void Closed(int32_t stream, bool by_peer);

  Kind Find(int32_t stream) const;

 private:
  // The number of most recently closed streams that are remembered. Older ones are not distinguished from streams that
  // never began.
  static constexpr size_t kRecentMax = 64;

  struct Recent {
    int32_t stream = 0;
    bool by_peer = false;
  };

  int32_t last_begun_ = 0;
  std::array<Recent, kRecentMax> recent_{};
  size_t next_recent_ = 0;
  // Holds at most limits::kGrpcStreamsPerConnectionMax streams. That is enough: if a peer begins a stream in place of
  // one of these, it knows about the reset. It then sends no more frames on the old stream.
  std::deque<int32_t> reset_order_;
  boost::unordered_flat_set<int32_t> reset_;
};

}  // namespace viewcount
