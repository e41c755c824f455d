// A small disk that can be filled.
#pragma once

#include <memory>
#include <string>

namespace viewcount {

// A tmpfs that only the thread that made it and its children see: it goes away with them, whatever happens. One thread.
class TmpfsMount {
 public:
  // Makes the folder `path` and mounts a tmpfs of `size` ("160m") there. Null, with the reason as a failure of the
  // test, if that is not permitted: it takes root, or CAP_SYS_ADMIN.
  static std::unique_ptr<TmpfsMount> Make(const std::string& path, const std::string& size);
  ~TmpfsMount();
  TmpfsMount(const TmpfsMount&) = delete;
  TmpfsMount& operator=(const TmpfsMount&) = delete;

 private:
  explicit TmpfsMount(std::string path) : path_(std::move(path)) {}

  const std::string path_;
};

}  // namespace viewcount
