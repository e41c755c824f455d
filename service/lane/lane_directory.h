// A lane's folder under the data directory: who may use it, and which lane it is.
//
//   <data-dir>/lanes/<n>/LOCK      held by flock(2) as long as a process uses the lane
//   <data-dir>/lanes/<n>/IDENTITY  text: `format 2`, `lane ID`, `created TIME`, then `incarnation ID` for every start,
//                                  oldest first, the present one last; then, after a start without the store,
//                                  `unchecked POSITION`
//   <data-dir>/lanes/<n>/*         the journal's segments and the checkpoint of its writers
//   <data-dir>/lanes/<n>/abandoned-ID/  the journal of an identity that was given up
#pragma once

#include <absl/status/statusor.h>

#include <optional>
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

  // The journal's end when the first start began to take views without having met the store. Nothing if the store was
  // met since. As long as it stands, no process has moved one of the lane's cursors beyond it: a cursor that is beyond
  // it comes from another history of this lane, even if the journal has grown past that position meanwhile.
  std::optional<Position> unchecked() const { return unchecked_; }
  // To be called before views are taken without the store. `end` is the journal's. Keeps an earlier position. Does not
  // write the present incarnation, but for a new lane, so that starts during a long outage do not fill the list.
  absl::Status BeginUnchecked(Position end);
  // The store's cursors were compared with the journal. To be called before one of them is moved.
  absl::Status EndUnchecked();

  // What is to become of the identity at a start.
  enum class Verdict : uint8_t {
    // The journal goes on from where the store is.
    kKeep,
    // The journal was lost or is an older copy. All that it holds has been counted.
    kAbandon,
    // The same, but what it holds beyond `unchecked` was taken without the store, and is in no store.
    kFenceOff,
  };
  // `stored` is the farthest that any shard of the store has come with the lane under an incarnation of it that is
  // known here, `end` the journal's. `taking`: views are taken now, so that the identity cannot be changed.
  Verdict Judge(Position stored, Position end, bool taking) const;
  // Gives the identity up for a new one, and moves the journal of the old one aside. Includes Begin.
  absl::Status Abandon();
  // The lane will not be used again: removes its folder, wholly or not at all even in a crash.
  absl::Status Remove();

 private:
  LaneDirectory(Disk& disk, const Clock& clock, std::string path)
      : disk_(&disk), clock_(&clock), path_(std::move(path)) {}
  absl::Status LoadIdentity();
  absl::Status WriteIdentity() const;
  void BeginNew();

  Disk* disk_;
  const Clock* clock_;
  std::string path_;
  UniqueFd lock_;
  LaneIdentity identity_;
  // As it stands in the file.
  std::string created_;
  std::optional<Position> unchecked_;
  // The present incarnation is in the file.
  bool begun_ = false;
};

}  // namespace viewcount
