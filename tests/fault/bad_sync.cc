// Simulates a bad disk, by LD_PRELOAD: makes syncs of chosen files fail or take longer.
//
//   BAD_SYNC_FILES    the affected files, as a pattern of fnmatch(3) for the whole path; without it nothing happens
//   BAD_SYNC_FAIL_AT  the number, from 1, of the sync of such a file that fails with EIO; 0: none
//   BAD_SYNC_SLEEP_AT, BAD_SYNC_SLEEP_COUNT, BAD_SYNC_SLEEP_MS
//                     the first sync that takes longer, how many syncs do, and how much longer
//   BAD_SYNC_REPORT   a file that gets one byte when a sync has failed
//
// A failed sync fails as on Linux. All bytes written since the file's last successful sync are lost (they become zeros
// here), and the next sync succeeds. So a program that continues after the error has lost those bytes. Thread-safe.
#include <dlfcn.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

uint64_t NumberOf(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

// `unsynced` holds the offset and length of all bytes that were written to each file and not synced.
struct State {
  std::mutex mutex;
  uint64_t syncs = 0;
  std::map<int, std::vector<std::pair<off_t, size_t>>> unsynced;
};

State& TheState() {
  // Never destroyed, because threads may still write when the process ends.
  static State* const state = new State;
  return *state;
}

template <typename Function>
Function Real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool Concerns(int file) {
  static const char* const pattern = std::getenv("BAD_SYNC_FILES");
  if (pattern == nullptr) return false;
  char path[4096];
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), path, sizeof(path) - 1);
  if (size <= 0) return false;
  path[size] = '\0';
  return fnmatch(pattern, path, 0) == 0;
}

ssize_t Note(int file, off_t offset, ssize_t written) {
  if (written > 0 && Concerns(file)) {
    const std::lock_guard lock(TheState().mutex);
    TheState().unsynced[file].emplace_back(offset, static_cast<size_t>(written));
  }
  return written;
}

void Forget(int file, const std::vector<std::pair<off_t, size_t>>& ranges) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  for (const auto& [offset, size] : ranges) {
    const std::string zeros(size, '\0');
    if (real(file, zeros.data(), zeros.size(), offset) < 0) std::abort();
  }
}

void Report() {
  const char* path = std::getenv("BAD_SYNC_REPORT");
  if (path == nullptr) return;
  const int report = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (report < 0 || write(report, "x", 1) != 1) std::abort();
  close(report);
}

int Sync(int file, const char* name) {
  if (!Concerns(file)) return Real<int (*)(int)>(name)(file);
  uint64_t number = 0;
  std::vector<std::pair<off_t, size_t>> ranges;
  {
    const std::lock_guard lock(TheState().mutex);
    number = ++TheState().syncs;
    ranges = std::exchange(TheState().unsynced[file], {});
  }
  const uint64_t sleep_at = NumberOf("BAD_SYNC_SLEEP_AT");
  if (sleep_at > 0 && number >= sleep_at && number < sleep_at + NumberOf("BAD_SYNC_SLEEP_COUNT")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(NumberOf("BAD_SYNC_SLEEP_MS")));
  }
  if (number != NumberOf("BAD_SYNC_FAIL_AT")) return Real<int (*)(int)>(name)(file);
  Forget(file, ranges);
  Report();
  errno = EIO;
  return -1;
}

}  // namespace

extern "C" {

int fsync(int file) { return Sync(file, "fsync"); }
int fdatasync(int file) { return Sync(file, "fdatasync"); }

ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  return Note(file, offset, real(file, bytes, size, offset));
}
ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) { return pwrite(file, bytes, size, offset); }
ssize_t pwritev(int file, const iovec* pieces, int count, off_t offset) {
  static const auto real = Real<ssize_t (*)(int, const iovec*, int, off_t)>("pwritev");
  return Note(file, offset, real(file, pieces, count, offset));
}
ssize_t pwritev64(int file, const iovec* pieces, int count, off64_t offset) {
  return pwritev(file, pieces, count, offset);
}
ssize_t write(int file, const void* bytes, size_t size) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t)>("write");
  const ssize_t written = real(file, bytes, size);
  // The bytes' offset in the file is known only after the write.
  if (written > 0 && Concerns(file)) return Note(file, lseek(file, 0, SEEK_CUR) - written, written);
  return written;
}

}  // extern "C"
