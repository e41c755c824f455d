// A file descriptor that closes itself.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace viewcount {

// Owns at most one descriptor. Not thread safe; movable, not copyable.
class UniqueFd {
 public:
  UniqueFd() = default;
  // Takes ownership; -1 means none.
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  // Nothing is to be done about an error of close(): Linux has freed the descriptor in any case.
  ~UniqueFd() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// open() with close-on-exec and mode 0600; invalid with errno set on error. Never one of the descriptors 0 to 2, which
// a child process has replaced, even when this process was started without them.
inline UniqueFd OpenAboveStandard(const char* path, int flags) {
  UniqueFd fd(open(path, flags | O_CLOEXEC, 0600));
  if (!fd.valid() || fd.get() > 2) return fd;
  return UniqueFd(fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

}  // namespace viewcount
