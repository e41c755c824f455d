#include "tests/support/tmpfs_mount.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace viewcount {

std::unique_ptr<TmpfsMount> TmpfsMount::Make(const std::string& path, const std::string& size) {
  std::filesystem::create_directories(path);
  // The mount namespace is private to this thread. The kernel destroys it with the last process in it.
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", path.c_str(), "tmpfs", 0, ("size=" + size).c_str()) != 0) {
    ADD_FAILURE() << "a tmpfs cannot be mounted: " << std::strerror(errno)
                  << "; this test needs root, in a container CAP_SYS_ADMIN";
    return nullptr;
  }
  return std::unique_ptr<TmpfsMount>(new TmpfsMount(path));
}

TmpfsMount::~TmpfsMount() { umount2(path_.c_str(), MNT_DETACH); }

}  // namespace viewcount
