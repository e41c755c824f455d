// Reads the lines of a log, however long or broken they are, in a fixed amount of memory.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "client/cli/byte_source.h"

namespace viewcount::cli {

// The part of a line that is kept. The rest of a longer line is skipped. Web servers limit requests to about 8 KiB.
inline constexpr size_t kLineBytesMax = 64 << 10;
// The size of the head, the first decompressed bytes of a file, which distinguish the file from other files.
inline constexpr size_t kHeadBytes = 4 << 10;

// One line without its line end.
struct LogLine {
  // The number of the line. The first line has number 1.
  uint64_t number = 0;
  // At most kLineBytesMax bytes. Valid until the next call of the reader.
  std::string_view text;
  // True if the line was longer than kLineBytesMax.
  bool too_long = false;
  // True if the text ends without a line end. The program that writes the log may not have finished the line yet.
  bool unfinished = false;
};

// Reads one source from its beginning to its end. Owns the source. Not thread-safe.
class LineReader {
 public:
  explicit LineReader(std::unique_ptr<ByteSource> source);

  // Returns the first kHeadBytes of the text, or all of a shorter text. May be called only before the first Next. The
  // result is valid until then.
  absl::StatusOr<std::string_view> Head();

  // Reads the next line. Returns false at the end. In a damaged file the part of a line before the damage is left out,
  // because its rest is unknown. Returns an error if reading fails.
  absl::StatusOr<bool> Next(LogLine& line);

  const ByteSource& source() const { return *source_; }

 private:
  // Reads more bytes and appends them to the buffered part. Returns false at the end.
  absl::StatusOr<bool> Fill();

  const std::unique_ptr<ByteSource> source_;
  std::string buffer_;
  // The unread part of the buffer.
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t number_ = 0;
};

}  // namespace viewcount::cli
