// Reads the lines of a log, however long or broken they are, in a fixed amount of memory.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/cli/byte_source.h"
#include "client/cli/utf16_decoder.h"

namespace viewcount::cli {

// The part of a line that is kept. The rest of a longer line is skipped. Web servers limit requests to about 8 KiB.
inline constexpr size_t kLineBytesMax = 64 << 10;
// The size of the head, the first bytes of a log's text. The log's format is found in it.
inline constexpr size_t kHeadBytes = 64 << 10;

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

// The treatment of a text at the end that has no line end.
enum class UnfinishedLine {
  // It is returned as the last line.
  kTake,
  // It is left until its line end was written.
  kLeave,
};

// Reads one source from its beginning to its end. A text in UTF-16 with a byte order mark is converted to UTF-8. Owns
// the source. Not thread-safe.
class LineReader {
 public:
  explicit LineReader(std::unique_ptr<ByteSource> source);

  // Returns the first kHeadBytes of the text, or all of a shorter text, with its byte order mark. May be called only
  // before the first Next. The result is valid until then.
  absl::StatusOr<std::string_view> Head();

  // Reads the next line. Returns false at the end; a plain file may have grown when Next is called again. In a damaged
  // file the part of a line before the damage is left out, because its rest is unknown. Returns an error if reading
  // fails.
  absl::StatusOr<bool> Next(LogLine& line, UnfinishedLine unfinished = UnfinishedLine::kTake);

  // Goes back to the first line. Returns the errors of ByteSource::Rewind.
  absl::Status Rewind();

  const ByteSource& source() const { return *source_; }

 private:
  // Reads more bytes and appends them to the buffered part. Returns false at the end.
  absl::StatusOr<bool> Fill();
  absl::StatusOr<bool> FillDecoded();
  // Looks for a byte order mark of UTF-16 as soon as two bytes were read.
  void DetectEncoding();
  void Append(std::string_view text);

  const std::unique_ptr<ByteSource> source_;
  std::string buffer_;
  // The unread part of the buffer.
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t number_ = 0;
  bool encoding_known_ = false;
  std::optional<Utf16Decoder> decoder_;
  // True if the line that is being read was longer than kLineBytesMax.
  bool too_long_ = false;
};

// The byte order mark of UTF-8, which some programs write before a text.
inline constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

}  // namespace viewcount::cli
