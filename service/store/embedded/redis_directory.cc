#include "service/store/embedded/redis_directory.h"

#include <absl/status/status.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

#include "service/base/limits.h"

namespace viewcount {
namespace {

constexpr char kSocketName[] = "redis.sock";
constexpr std::chrono::milliseconds kLockPoll{20};
constexpr size_t kLogTailBytes = 2'048;

absl::Status CannotUse(const std::string& path, int error) {
  const auto code = error == EACCES || error == EPERM || error == EROFS ? absl::StatusCode::kPermissionDenied
                                                                        : absl::StatusCode::kFailedPrecondition;
  return {code, fmt::format("cannot use {} for the embedded Redis: {}; choose with --data-dir a directory that this "
                            "user may write",
                            path, std::strerror(error))};
}

std::string HoldersOf(int lock) {
  char text[200];
  const ssize_t size = pread(lock, text, sizeof(text), 0);
  if (size <= 0) return "another process";
  std::string holders(text, static_cast<size_t>(size));
  return holders.substr(0, holders.find('\n'));
}

absl::Status TakeLock(int lock, const std::string& path, std::chrono::milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return CannotUse(path, errno);
    if (std::chrono::steady_clock::now() >= deadline) {
      return absl::AlreadyExistsError(
          fmt::format("{} is in use: {}/LOCK is held by {}; stop that one, or choose another --data-dir", path, path,
                      HoldersOf(lock)));
    }
    std::this_thread::sleep_for(kLockPoll);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RedisDirectory> RedisDirectory::Open(const std::string& data_dir, std::chrono::milliseconds lock_wait) {
  std::error_code error;
  const std::string path = (std::filesystem::absolute(data_dir, error) / "redis").lexically_normal().string();
  if (!error) std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) return CannotUse(path, error.value());
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return CannotUse(path, errno);

  UniqueFd directory = OpenAboveStandard(path.c_str(), O_RDONLY | O_DIRECTORY);
  if (!directory.valid()) return CannotUse(path, errno);
  // An existing directory may be open to other users, and Redis asks for no password on this socket.
  if (fchmod(directory.get(), 0700) != 0) return CannotUse(path, errno);
  UniqueFd lock = OpenAboveStandard((path + "/LOCK").c_str(), O_RDWR | O_CREAT);
  if (!lock.valid()) return CannotUse(path, errno);
  if (auto status = TakeLock(lock.get(), path, lock_wait); !status.ok()) return status;
  return RedisDirectory(path, std::move(directory), std::move(lock));
}

std::string RedisDirectory::socket_path() const {
  std::string direct = fmt::format("{}/{}", path_, kSocketName);
  if (direct.size() < sizeof(sockaddr_un::sun_path)) return direct;
  return fmt::format("/proc/self/fd/{}/{}", directory_.get(), kSocketName);
}

void RedisDirectory::NoteHolders(pid_t server) const {
  const std::string text = fmt::format("viewcountd (process {}) and its redis-server (process {})\n", getpid(), server);
  // This note only helps an operator who finds the lock held. So a full disk must not be an error here.
  if (ftruncate(lock_.get(), 0) != 0 || pwrite(lock_.get(), text.data(), text.size(), 0) < 0) {
    spdlog::warn("cannot note the holder of the lock file={}/LOCK error={}", path_, std::strerror(errno));
  }
}

void RedisDirectory::RotateLog() const {
  std::error_code error;
  const auto size = std::filesystem::file_size(log_path(), error);
  if (error || size <= limits::kEmbeddedLogBytesMax) return;
  std::filesystem::rename(log_path(), log_path() + ".1", error);
  if (error) spdlog::warn("cannot rotate the log file={} error={}", log_path(), error.message());
}

std::string RedisDirectory::LogTail() const {
  std::ifstream log(log_path(), std::ios::binary | std::ios::ate);
  if (!log) return "";
  const auto size = static_cast<size_t>(log.tellg());
  std::string text(std::min(size, kLogTailBytes), '\0');
  log.seekg(static_cast<std::streamoff>(size - text.size()));
  log.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(log.gcount()));
  // The text begins with a whole line.
  if (size > kLogTailBytes) text.erase(0, text.find('\n') + 1);
  return text;
}

}  // namespace viewcount
