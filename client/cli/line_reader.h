// Lines of a log, however long and broken, in memory of a fixed size.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "client/cli/byte_source.h"

namespace viewcount::cli {

// What is kept of a line; the rest of a longer one is skipped. Web servers cut requests at 8 KiB or so.
inline constexpr size_t kLineBytesMax = 64 << 10;
// What tells a file from others: its first bytes, decompressed.
inline constexpr size_t kHeadBytes = 4 << 10;

// One line, without its line end.
struct LogLine {
  // Counted from 1.
  uint64_t number = 0;
  // At most kLineBytesMax bytes; valid until the next call.
  std::string_view text;
  // The line was longer than that.
  bool too_long = false;
  // The text ends without a line end: perhaps its writer has not finished yet.
  bool unfinished = false;
};

// Reads one source to its end. Not thread safe.
class LineReader {
 public:
  explicit LineReader(std::unique_ptr<ByteSource> source);

  // The first kHeadBytes of the text, or all of a shorter one. Only before the first Next; valid until then.
  absl::StatusOr<std::string_view> Head();

  // False at the end. Of a damaged file the part of a line before the damage is left out: nobody knows its rest.
  // Errors: reading failed.
  absl::StatusOr<bool> Next(LogLine& line);

  const ByteSource& source() const { return *source_; }

 private:
  // Reads more behind what is buffered; false at the end.
  absl::StatusOr<bool> Fill();

  const std::unique_ptr<ByteSource> source_;
  std::string buffer_;
  // The unread part of the buffer.
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t number_ = 0;
};

}  // namespace viewcount::cli
