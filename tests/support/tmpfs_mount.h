// A small disk that a test can fill.
#pragma once

#include <memory>
#include <string>

namespace viewcount {

// A tmpfs that only the thread that created it and its children can see. The kernel removes it with them in any case.
// Used by one thread only.
class TmpfsMount {
 public:
  // Creates the folder `path` and mounts a tmpfs of `size` ("160m") there. This requires root or CAP_SYS_ADMIN. Without
  // that permission it returns null and adds a test failure with the reason.
  static std::unique_ptr<TmpfsMount> Make(const std::string& path, const std::string& size);
  ~TmpfsMount();
  TmpfsMount(const TmpfsMount&) = delete;
  TmpfsMount& operator=(const TmpfsMount&) = delete;

 private:
  explicit TmpfsMount(std::string path) : path_(std::move(path)) {}

  const std::string path_;
};

}  // namespace viewcount
