#include "client/cli/byte_source.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace viewcount::cli {
namespace {

constexpr size_t kBufferBytes = 64 << 10;
// The part of a file that is compared to notice that the file was truncated.
constexpr size_t kBeginningBytes = 1 << 10;

absl::Status FileError(const std::string& path, int error) {
  return absl::ErrnoToStatus(error, absl::StrCat("cannot read ", path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> ByteSource::Open(const std::string& path) {
  const int descriptor = path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FileError(path, errno);
  return Adopt(path, descriptor);
}

absl::StatusOr<std::unique_ptr<ByteSource>> ByteSource::Adopt(const std::string& name, int descriptor) {
  std::unique_ptr<ByteSource> source(new ByteSource(name, descriptor));
  struct stat info {};
  if (fstat(descriptor, &info) != 0) return FileError(name, errno);
  if (S_ISDIR(info.st_mode)) return FileError(name, EISDIR);
  source->file_id_ = {info.st_dev, info.st_ino};
  if (S_ISREG(info.st_mode)) {
    source->file_size_ = static_cast<uint64_t>(info.st_size);
    source->start_ = lseek(descriptor, 0, SEEK_CUR);
  }
  return source;
}

ByteSource::ByteSource(std::string path, int descriptor)
    : path_(path == "-" ? "standard input" : std::move(path)), descriptor_(descriptor), buffer_(kBufferBytes) {}

ByteSource::~ByteSource() { close(descriptor_); }

absl::StatusOr<bool> ByteSource::Fill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  for (;;) {
    const ssize_t count = read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileError(path_, errno);
    const auto added = static_cast<size_t>(count);
    if (beginning_.size() < kBeginningBytes) {
      beginning_.append(reinterpret_cast<const char*>(buffer_.data()) + end_,
                        std::min(added, kBeginningBytes - beginning_.size()));
    }
    end_ += added;
    file_position_ += added;
    return count > 0;
  }
}

absl::Status ByteSource::Rewind() {
  if (start_ < 0)
    return absl::FailedPreconditionError(absl::StrCat("cannot read ", path_, " again from its beginning"));
  if (lseek(descriptor_, start_, SEEK_SET) < 0) return FileError(path_, errno);
  file_position_ = 0;
  beginning_.clear();
  begin_ = end_ = 0;
  started_ = finished_ = false;
  decompressor_.reset();
  damage_.clear();
  return absl::OkStatus();
}

bool ByteSource::Truncated() const {
  struct stat info {};
  if (fstat(descriptor_, &info) != 0 || static_cast<uint64_t>(info.st_size) < file_position_) return true;
  std::string now(beginning_.size(), '\0');
  const ssize_t count = pread(descriptor_, now.data(), now.size(), std::max<int64_t>(start_, 0));
  return count != static_cast<ssize_t>(now.size()) || now != beginning_;
}

absl::Status ByteSource::DetectCompression() {
  started_ = true;
  // One read from a pipe may return a single byte.
  while (end_ - begin_ < kMagicBytesMax) {
    const auto more = Fill();
    if (!more.ok()) return more.status();
    if (!*more) break;
  }
  // A file that is still empty is looked at again.
  if (begin_ == end_) started_ = false;
  decompressor_ = Decompressor::Detect({reinterpret_cast<const char*>(buffer_.data()), end_});
  return absl::OkStatus();
}

absl::StatusOr<size_t> ByteSource::Read(char* to, size_t size) {
  if (!started_) {
    if (auto status = DetectCompression(); !status.ok()) return status;
  }
  if (decompressor_ == nullptr) return ReadPlain(to, size);
  if (finished_) return 0;
  auto count = Decompress(to, size);
  if (count.ok() && *count == 0) finished_ = true;
  return count;
}

absl::StatusOr<size_t> ByteSource::ReadPlain(char* to, size_t size) {
  if (begin_ == end_) {
    const auto more = Fill();
    if (!more.ok()) return more.status();
  }
  const size_t count = std::min(size, end_ - begin_);
  std::memcpy(to, buffer_.data() + begin_, count);
  begin_ += count;
  return count;
}

absl::StatusOr<size_t> ByteSource::Decompress(char* to, size_t size) {
  Decompressor::Buffers buffers;
  buffers.output = reinterpret_cast<unsigned char*>(to);
  buffers.output_bytes = size;
  while (buffers.output_bytes == size) {
    bool at_end = false;
    if (begin_ == end_) {
      const auto more = Fill();
      if (!more.ok()) return more.status();
      at_end = !*more;
    }
    buffers.input = buffer_.data() + begin_;
    buffers.input_bytes = end_ - begin_;
    const auto step = decompressor_->Run(buffers);
    begin_ = end_ - buffers.input_bytes;
    if (step == Decompressor::Step::kMemberEnd) {
      const auto next = NextMember();
      if (!next.ok()) return next.status();
      finished_ = !*next;
    } else if (step == Decompressor::Step::kBroken) {
      damage_ = absl::StrCat("the compressed file is broken (", decompressor_->problem(), ")");
      finished_ = true;
    } else if (at_end && buffers.output_bytes == size) {
      // The file is reported as cut off only now, because the library may still have held output that did not fit
      // before.
      damage_ = "the compressed file is cut off";
      finished_ = true;
    }
    if (finished_) break;
  }
  return size - buffers.output_bytes;
}

absl::StatusOr<bool> ByteSource::NextMember() {
  const auto magic = decompressor_->magic();
  // Tapes and some programs pad their files with zeros. gzip skips these zeros too.
  for (;;) {
    while (begin_ < end_ && buffer_[begin_] == 0) ++begin_;
    if (end_ - begin_ >= magic.size()) break;
    const auto more = Fill();
    if (!more.ok()) return more.status();
    if (!*more) break;
  }
  if (begin_ == end_) return false;
  if (end_ - begin_ < magic.size() || std::memcmp(buffer_.data() + begin_, magic.data(), magic.size()) != 0) {
    damage_ = "the compressed file has other data after its end";
    return false;
  }
  decompressor_->Restart();
  return true;
}

}  // namespace viewcount::cli
