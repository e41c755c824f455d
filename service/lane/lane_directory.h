// A lane's folder under the data directory: who may use it, and which lane it is.
//
//   <data-dir>/lanes/<n>/LOCK      held by flock(2) as long as a process uses the lane
//   <data-dir>/lanes/<n>/IDENTITY  text: `format 2`, `lane ID`, `created TIME`, then `incarnation ID` for every start,
//                                  oldest first, the present one last
//   <data-dir>/lanes/<n>/*         the journal's segments and the checkpoint of its writers
//   <data-dir>/lanes/<n>/abandoned-ID/  the journal of an identity that was given up
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/base/disk.h"
#include "service/base/identifiers.h"
#include "service/base/unique_fd.h"
#include "service/store/count_store.h"

namespace viewcount {

// Locks a lane's folder against other processes for as long as the result lives. FAILED_PRECONDITION if another one has
// it.
absl::StatusOr<UniqueFd> LockLane(const std::string& path);

// Folders of all lanes under a data directory, by number, with their numbers; none if there is no such directory.
std::vector<std::pair<uint32_t, std::string>> ListLanes(const std::string& data_dir);

// Owns the lock. One thread.
class LaneDirectory {
 public:
  // Opens, making it if need be, and locks. A lane that was here before keeps its ID and gets a fresh incarnation,
  // which is not on disk before Begin. FAILED_PRECONDITION if another process uses the folder, it is of another format,
  // or its IDENTITY is broken, which then stays as it is.
  static absl::StatusOr<LaneDirectory> Open(Disk& disk, const Clock& clock, const std::string& data_dir,
                                            uint32_t number);
  // The same for a folder by its own path, without the lock: for a simulated disk.
  static absl::StatusOr<LaneDirectory> OpenUnlocked(Disk& disk, const Clock& clock, const std::string& path);

  const LaneIdentity& identity() const { return identity_; }
  const std::string& path() const { return path_; }
  // Makes the present incarnation last. The store must not be claimed before.
  absl::Status Begin();
  // Gives the identity up for a new one, and moves the journal of the old one aside. Includes Begin.
  absl::Status Abandon();
  // The lane will not be used again: removes its folder, wholly or not at all even in a crash.
  absl::Status Remove();

 private:
  LaneDirectory(Disk& disk, const Clock& clock, std::string path)
      : disk_(&disk), clock_(&clock), path_(std::move(path)) {}
  absl::Status LoadIdentity();
  void BeginNew();

  Disk* disk_;
  const Clock* clock_;
  std::string path_;
  UniqueFd lock_;
  LaneIdentity identity_;
  // As it stands in the file.
  std::string created_;
};

}  // namespace viewcount
