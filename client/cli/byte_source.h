// Reads the bytes of a log file or of standard input, and decompresses them if they are compressed.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/decompressor.h"

namespace viewcount::cli {

// The identity of a file on this machine. It stays when the file is renamed.
struct FileId {
  uint64_t device = 0;
  uint64_t inode = 0;
  bool operator==(const FileId&) const = default;
};

// Reads a file forward, using a fixed amount of memory. The first bytes decide whether the file is compressed by gzip,
// bzip2, xz or Zstandard; its name does not matter. Owns the file descriptor. Not thread-safe.
class ByteSource {
 public:
  // Opens `path`; `-` is standard input. Returns NOT_FOUND, PERMISSION_DENIED and other errors with the path in the
  // message.
  static absl::StatusOr<std::unique_ptr<ByteSource>> Open(const std::string& path);
  // Takes over an open descriptor. `name` stands for the path in messages. Returns errors as Open does.
  static absl::StatusOr<std::unique_ptr<ByteSource>> Adopt(const std::string& name, int descriptor);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // Waits for data and writes at least one and at most `size` bytes to `to`. Returns the number of bytes, or 0 at the
  // end of the file or at damage. A plain file may have grown when Read is called again after its end. Returns an error
  // if reading fails.
  absl::StatusOr<size_t> Read(char* to, size_t size);

  // Goes back to where the file was opened. Returns FAILED_PRECONDITION for a pipe.
  absl::Status Rewind();

  // Returns the damage of the compressed file ("cut off", "broken"), or an empty text if there is none. Call it after
  // the end was reached. Everything before the damage was read.
  const std::string& damage() const { return damage_; }
  bool compressed() const { return decompressor_ != nullptr; }

  // The bytes read from the file so far and the file's size when it was opened, for a progress display. The size is 0
  // if it is not known.
  uint64_t file_position() const { return file_position_; }
  uint64_t file_size() const { return file_size_; }
  FileId file_id() const { return file_id_; }

  // Returns true if the file is shorter than what was read of it, or begins in another way. A program has then
  // truncated it, and perhaps written into it again.
  bool Truncated() const;

 private:
  ByteSource(std::string path, int descriptor);

  // Reads more of the file and appends it to the unread bytes of the buffer. Returns false at the end of the file.
  absl::StatusOr<bool> Fill();
  absl::Status DetectCompression();
  absl::StatusOr<size_t> ReadPlain(char* to, size_t size);
  absl::StatusOr<size_t> Decompress(char* to, size_t size);
  // Handles the end of a compressed member. Returns true if another member follows.
  absl::StatusOr<bool> NextMember();

  const std::string path_;
  const int descriptor_;
  FileId file_id_;
  // The offset at which the descriptor was opened, or -1 for a pipe.
  int64_t start_ = -1;
  uint64_t file_size_ = 0;
  uint64_t file_position_ = 0;
  // The first bytes of the file, by which Truncated recognises it.
  std::string beginning_;
  std::vector<unsigned char> buffer_;
  // The unread part of the buffer.
  size_t begin_ = 0;
  size_t end_ = 0;
  bool started_ = false;
  // True after the end of a compressed file.
  bool finished_ = false;
  std::unique_ptr<Decompressor> decompressor_;
  std::string damage_;
};

}  // namespace viewcount::cli
