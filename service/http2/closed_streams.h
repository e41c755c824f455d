// Which streams of a connection were closed, and by whom: RFC 9113 (section 5.1) answers a late frame accordingly.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace viewcount {

// One thread. Bounded: see the members.
class ClosedStreams {
 public:
  // What a frame on a stream without a call meets.
  enum class Kind : uint8_t {
    kNew,          // The ID is higher than all before it: not closed, but idle.
    kResetByUs,    // The peer may not know yet that the stream is closed.
    kResetByPeer,  // The peer goes on after its own RST_STREAM.
    kEnded,        // Both sides had ended it.
    kUnknown,      // Never begun, or closed long ago.
  };

  // A stream began by HEADERS of the peer.
  void Begun(int32_t stream) { last_begun_ = stream; }
  // RST_STREAM was sent.
  void ResetByUs(int32_t stream);
  // The stream is closed; `by_peer`: by the peer's RST_STREAM.
  void Closed(int32_t stream, bool by_peer);

  Kind Find(int32_t stream) const;

 private:
  // So many of the streams that were closed last are told from those that never were.
  static constexpr size_t kRecentMax = 64;

  struct Recent {
    int32_t stream = 0;
    bool by_peer = false;
  };

  int32_t last_begun_ = 0;
  std::array<Recent, kRecentMax> recent_{};
  size_t next_recent_ = 0;
  // At most limits::kGrpcStreamsPerConnectionMax, which is enough: a peer that has begun a stream in place of one of
  // these knows that it was reset, and sends nothing more on it.
  std::deque<int32_t> reset_order_;
  boost::unordered_flat_set<int32_t> reset_;
};

}  // namespace viewcount
