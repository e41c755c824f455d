// A lane's folder under the data directory: who may use it, and which lane it is.
//
//   <data-dir>/lanes/<n>/LOCK      held by flock(2) as long as a process uses the lane
//   <data-dir>/lanes/<n>/IDENTITY  text: `format 1`, `lane ID`, then `retired ID` for every lane of an earlier start
//   that
//                                  the store may still remember
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "service/base/identifiers.h"
#include "service/base/unique_fd.h"

namespace viewcount {

// Owns the lock. One thread.
class LaneDirectory {
 public:
  // Opens, making it if need be, and locks. FAILED_PRECONDITION if another process uses it, it is of a newer
  // format, or its IDENTITY is broken, which then stays as it is.
  static absl::StatusOr<LaneDirectory> Open(const std::string& data_dir, uint32_t number);

  // Numbers, from `count` on, of lanes that an earlier start with more of them left behind.
  static std::vector<uint32_t> Surplus(const std::string& data_dir, uint32_t count);

  // Until there is a journal nothing survives a process, so each start is a lane of its own.
  LaneId lane() const { return lane_; }
  // Lanes of earlier starts: with the memory of their processes gone they will never apply anything again.
  const std::vector<LaneId>& retired() const { return retired_; }
  // The store has forgotten the retired ones.
  absl::Status ForgetRetired();
  // The lane will not be used again: removes its folder.
  void Remove();

 private:
  LaneDirectory(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  absl::Status LoadIdentity();
  absl::Status SaveIdentity() const;

  std::string path_;
  UniqueFd lock_;
  LaneId lane_;
  std::vector<LaneId> retired_;
};

}  // namespace viewcount
