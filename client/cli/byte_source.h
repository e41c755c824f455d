// The bytes of a log file, standard input included, decompressed if they are gzip's.
#pragma once

#include <absl/status/statusor.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace viewcount::cli {

// Reads forward, with memory of a fixed size. Whether it is gzip is told by the first two bytes, not by the name;
// several gzip members in a row are one text, as gzip has it. Not thread safe.
class ByteSource {
 public:
  // `-` is standard input. NOT_FOUND, PERMISSION_DENIED and others, with the path in the message.
  static absl::StatusOr<std::unique_ptr<ByteSource>> Open(const std::string& path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // Puts at least one and at most `size` bytes at `to`, waiting for them. 0: the end, or damage.
  // Errors: reading failed.
  absl::StatusOr<size_t> Read(char* to, size_t size);

  // After the end: what is wrong with the compressed file ("cut off", "broken"); empty if nothing is. Everything
  // before the damage was read.
  const std::string& damage() const { return damage_; }

  // For progress: bytes read from the file, and its size; 0 if that is not known.
  uint64_t file_position() const { return file_position_; }
  uint64_t file_size() const { return file_size_; }

 private:
  ByteSource(std::string path, int descriptor, uint64_t file_size);

  // Reads more of the file behind what is left of it in the buffer; false at its end.
  absl::StatusOr<bool> Fill();
  absl::Status DetectGzip();
  absl::StatusOr<size_t> ReadPlain(char* to, size_t size);
  absl::StatusOr<size_t> Inflate(char* to, size_t size);
  // At the end of a gzip member: true if another one follows.
  absl::StatusOr<bool> NextMember();

  const std::string path_;
  const int descriptor_;
  const uint64_t file_size_;
  uint64_t file_position_ = 0;
  std::vector<unsigned char> buffer_;
  // What is left of the buffer.
  size_t begin_ = 0;
  size_t end_ = 0;
  bool started_ = false;
  bool gzip_ = false;
  bool finished_ = false;
  z_stream stream_{};
  std::string damage_;
};

}  // namespace viewcount::cli
