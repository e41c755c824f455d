// Reads the bytes of a log file or of standard input, and decompresses them if they are gzip data.
#pragma once

#include <absl/status/statusor.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace viewcount::cli {

// Reads a file forward, using a fixed amount of memory. The first two bytes decide whether the file is gzip; its name
// does not matter. Several consecutive gzip members form one text, as in gzip itself. Owns the file descriptor. Not
// thread-safe.
class ByteSource {
 public:
  // Opens `path`; `-` is standard input. Returns NOT_FOUND, PERMISSION_DENIED and other errors with the path in the
  // message.
  static absl::StatusOr<std::unique_ptr<ByteSource>> Open(const std::string& path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // Waits for data and writes at least one and at most `size` bytes to `to`. Returns the number of bytes, or 0 at the
  // end of the file or at damage. Returns an error if reading fails.
  absl::StatusOr<size_t> Read(char* to, size_t size);

  // Returns the damage of the compressed file ("cut off", "broken"), or an empty text if there is none. Call it after
  // the end was reached. Everything before the damage was read.
  const std::string& damage() const { return damage_; }

  // The bytes read from the file so far and the file's size, for a progress display. The size is 0 if it is not known.
  uint64_t file_position() const { return file_position_; }
  uint64_t file_size() const { return file_size_; }

 private:
  ByteSource(std::string path, int descriptor, uint64_t file_size);

  // Reads more of the file and appends it to the unread bytes of the buffer. Returns false at the end of the file.
  absl::StatusOr<bool> Fill();
  absl::Status DetectGzip();
  absl::StatusOr<size_t> ReadPlain(char* to, size_t size);
  absl::StatusOr<size_t> Inflate(char* to, size_t size);
  // Handles the end of a gzip member. Returns true if another member follows.
  absl::StatusOr<bool> NextMember();

  const std::string path_;
  const int descriptor_;
  const uint64_t file_size_;
  uint64_t file_position_ = 0;
  std::vector<unsigned char> buffer_;
  // The unread part of the buffer.
  size_t begin_ = 0;
  size_t end_ = 0;
  bool started_ = false;
  bool gzip_ = false;
  bool finished_ = false;
  z_stream stream_{};
  std::string damage_;
};

}  // namespace viewcount::cli
