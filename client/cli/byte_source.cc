#include "client/cli/byte_source.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "service/base/check.h"

namespace viewcount::cli {
namespace {

constexpr size_t kBufferBytes = 64 << 10;
constexpr unsigned char kGzipMagic[] = {0x1F, 0x8B};
// zlib's largest window, plus 16 for gzip's header and checksum in place of zlib's own.
constexpr int kGzipWindowBits = 15 + 16;

absl::Status FileError(const std::string& path, int error) {
  return absl::ErrnoToStatus(error, absl::StrCat("cannot read ", path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> ByteSource::Open(const std::string& path) {
  const int descriptor = path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FileError(path, errno);
  struct stat info {};
  const bool known = fstat(descriptor, &info) == 0;
  if (known && S_ISDIR(info.st_mode)) {
    close(descriptor);
    return FileError(path, EISDIR);
  }
  const uint64_t size = known && S_ISREG(info.st_mode) ? static_cast<uint64_t>(info.st_size) : 0;
  return std::unique_ptr<ByteSource>(new ByteSource(path, descriptor, size));
}

ByteSource::ByteSource(std::string path, int descriptor, uint64_t file_size)
    : path_(path == "-" ? "standard input" : std::move(path)),
      descriptor_(descriptor),
      file_size_(file_size),
      buffer_(kBufferBytes) {}

ByteSource::~ByteSource() {
  if (gzip_) inflateEnd(&stream_);
  close(descriptor_);
}

absl::StatusOr<bool> ByteSource::Fill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  for (;;) {
    const ssize_t count = read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileError(path_, errno);
    end_ += static_cast<size_t>(count);
    file_position_ += static_cast<uint64_t>(count);
    return count > 0;
  }
}

absl::Status ByteSource::DetectGzip() {
  started_ = true;
  // One read from a pipe may return a single byte.
  while (end_ - begin_ < sizeof(kGzipMagic)) {
    const auto more = Fill();
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
  }
  if (std::memcmp(buffer_.data(), kGzipMagic, sizeof(kGzipMagic)) != 0) return absl::OkStatus();
  VIEWCOUNT_CHECK(inflateInit2(&stream_, kGzipWindowBits) == Z_OK);
  gzip_ = true;
  return absl::OkStatus();
}

absl::StatusOr<size_t> ByteSource::Read(char* to, size_t size) {
  if (!started_) {
    if (auto status = DetectGzip(); !status.ok()) return status;
  }
  if (finished_) return 0;
  auto count = gzip_ ? Inflate(to, size) : ReadPlain(to, size);
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

absl::StatusOr<size_t> ByteSource::Inflate(char* to, size_t size) {
  stream_.next_out = reinterpret_cast<unsigned char*>(to);
  stream_.avail_out = static_cast<uInt>(std::min<size_t>(size, 1 << 30));
  const uInt room = stream_.avail_out;
  while (stream_.avail_out == room) {
    bool at_end = false;
    if (begin_ == end_) {
      const auto more = Fill();
      if (!more.ok()) return more.status();
      at_end = !*more;
    }
    stream_.next_in = buffer_.data() + begin_;
    stream_.avail_in = static_cast<uInt>(end_ - begin_);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    begin_ = end_ - stream_.avail_in;
    if (result == Z_STREAM_END) {
      const auto next = NextMember();
      if (!next.ok()) return next.status();
      if (!*next) {
        finished_ = true;
        return room - stream_.avail_out;
      }
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      damage_ = absl::StrCat("the compressed file is broken (", stream_.msg != nullptr ? stream_.msg : "zlib", ")");
      finished_ = true;
      return room - stream_.avail_out;
    } else if (at_end && stream_.avail_out == room) {
      // The file is reported as cut off only now, because zlib may still have held output that did not fit before.
      damage_ = "the compressed file is cut off";
      return 0;
    }
  }
  return room - stream_.avail_out;
}

absl::StatusOr<bool> ByteSource::NextMember() {
  // Tapes and some programs pad their files with zeros. gzip skips these zeros too.
  for (;;) {
    while (begin_ < end_ && buffer_[begin_] == 0) ++begin_;
    if (end_ - begin_ >= sizeof(kGzipMagic)) break;
    const auto more = Fill();
    if (!more.ok()) return more.status();
    if (!*more) break;
  }
  if (begin_ == end_) return false;
  if (end_ - begin_ < sizeof(kGzipMagic) || std::memcmp(buffer_.data() + begin_, kGzipMagic, sizeof(kGzipMagic)) != 0) {
    damage_ = "the compressed file has other data after its end";
    return false;
  }
  VIEWCOUNT_CHECK(inflateReset(&stream_) == Z_OK);
  return true;
}

}  // namespace viewcount::cli
