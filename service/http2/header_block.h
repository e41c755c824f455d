// Blocks of HTTP/2 headers that nghttp2 could not decode, because a name or a value is too long.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "service/http2/frame_scanner.h"

namespace viewcount {

// Returns the block of headers (HPACK, RFC 7541) with every name and value of more than `string_bytes_max` encoded
// bytes replaced by `replacement_bytes` times the letter x. A decoder's dynamic table comes out the same, as long as
// both are larger than the table: such an entry empties it (section 4.4). Nothing if the block is not well formed.
std::optional<std::string> ShortenHeaderBlock(std::string_view block, size_t string_bytes_max,
                                              size_t replacement_bytes);

// Gathers the frames of one block of headers: HEADERS and the CONTINUATIONs after it. nghttp2 ends the connection at a
// name or value of more than 64 KiB, although it is the fault of one call only; with such a one shortened, the call is
// refused for the size of its headers. One thread.
class HeaderCollector {
 public:
  // Whether a block that begins with this HEADERS frame may have a string that is too long.
  static bool IsNeeded(const FrameHead& headers);

  // `headers`' payload follows.
  explicit HeaderCollector(const FrameHead& headers);

  // Takes bytes off the front of `bytes`, until the block is done.
  void Take(std::string_view& bytes);
  // The block is whole, or no longer worth gathering: it is larger than kBytesMax, or another frame comes in between.
  bool done() const { return done_; }
  // Bytes held.
  size_t bytes() const { return frames_.capacity(); }
  struct Result {
    // What nghttp2 is to get: the frames as they came, or frames with the shortened block, each as small as a peer may
    // send before it knows our settings.
    std::string frames;
    // The call is to be refused for the size of its headers.
    bool shortened = false;
  };
  Result Finish() const;
  // Bytes that are still missing of the last frame.
  size_t missing() const { return missing_; }

 private:
  // The largest block that is gathered.
  static constexpr size_t kBytesMax = 1280 << 10;

  const FrameHead headers_;
  // All frames as they came, heads included.
  std::string frames_;
  // The fragments of the block.
  std::string block_;
  // Where the last frame begins in frames_.
  size_t frame_begin_ = 0;
  size_t missing_ = 0;
  bool last_ = false;
  bool whole_ = false;
  bool done_ = false;
};

}  // namespace viewcount
