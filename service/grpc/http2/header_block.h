// Collects HTTP/2 header blocks that nghttp2 cannot decode because a name or a value is too long, and shortens them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "service/grpc/http2/frame_scanner.h"

namespace viewcount {

// Returns the header block (HPACK, RFC 7541) with every name and value of more than `string_bytes_max` encoded bytes
// replaced. Each replacement is `replacement_bytes` times the letter x. The decoder's dynamic table stays correct if
// both sizes exceed the table's size, because an entry that large empties the table (section 4.4). Returns nothing if
// the block is malformed.
std::optional<std::string> ShortenHeaderBlock(std::string_view block, size_t string_bytes_max,
                                              size_t replacement_bytes);

// Collects the frames of one header block: HEADERS and the CONTINUATION frames after it. Not thread-safe.
//
// nghttp2 closes the connection if a name or value has more than 64 KiB, although only one call is at fault. With the
// string shortened, only that call is refused because its headers are too large.
class HeaderCollector {
 public:
  // Returns true if a block that begins with this HEADERS frame may contain a string that is too long.
  static bool IsNeeded(const FrameHead& headers);

  // Starts a block. The payload of `headers` must follow in Take.
  explicit HeaderCollector(const FrameHead& headers);

  // Removes bytes from the front of `bytes` until the block is done.
  void Take(std::string_view& bytes);
  // Returns true if the block is complete, or if collecting must stop. It stops when the block exceeds kBytesMax, or
  // when another frame interrupts it.
  bool done() const { return done_; }
  // Returns the number of bytes held by the collected frames.
  size_t bytes() const { return frames_.capacity(); }
  struct Result {
    // The frames for nghttp2: either the original frames, or frames that carry the shortened block. The latter are
    // small enough for a peer that does not know our settings yet.
    std::string frames;
    // True if strings were shortened. The call must then be refused because its headers are too large.
    bool shortened = false;
  };
  Result Finish() const;
  // Returns the number of bytes of the last frame that have not arrived yet.
  size_t missing() const { return missing_; }

 private:
  // The largest block that is collected.
  static constexpr size_t kBytesMax = 1280 << 10;

  const FrameHead headers_;
  // All frames as received, including their heads.
  std::string frames_;
  // The concatenated fragments of the block.
  std::string block_;
  // The offset of the last frame in frames_.
  size_t frame_begin_ = 0;
  size_t missing_ = 0;
  bool last_ = false;
  bool whole_ = false;
  bool done_ = false;
};

}  // namespace viewcount
