// Converts UTF-16 to UTF-8, piece by piece.
#pragma once

#include <string>
#include <string_view>

namespace viewcount::cli {

// Decodes a text that arrives in pieces of any size. An unpaired surrogate becomes U+FFFD. Not thread-safe.
class Utf16Decoder {
 public:
  explicit Utf16Decoder(bool big_endian) : big_endian_(big_endian) {}

  // Returns the characters that end within `bytes`. Bytes of an incomplete character are kept for the next call. The
  // result has at most 3 bytes for each 2 bytes of input, apart from 4 bytes for what was kept.
  std::string Decode(std::string_view bytes);

 private:
  const bool big_endian_;
  std::string kept_;
};

}  // namespace viewcount::cli
