// A lane's folder under the data directory. It records which process may use the lane, and which lane it is.
//
//   <data-dir>/lanes/<n>/LOCK      held by flock(2) as long as a process uses the lane
//   <data-dir>/lanes/<n>/IDENTITY  text: `format 2`, `lane ID`, `created TIME`, then `incarnation ID` for every start,
//                                  oldest first, the present one last; then, after a start without the store,
//                                  `unchecked POSITION`
//   <data-dir>/lanes/<n>/RETIRED   exists if the lane takes no more views and its journal is no longer needed for
//                                  repairs: the next start removes the folder
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
#include "service/model/lane_identity.h"

namespace viewcount {

// Locks a lane's folder against other processes for as long as the returned object exists. Returns FAILED_PRECONDITION
// if another process holds the lock.
absl::StatusOr<UniqueFd> LockLane(const std::string& path);

// Returns the folder of a lane.
std::string LanePath(const std::string& data_dir, uint32_t number);

// Returns the number and the folder of every lane under a data directory, by number. Returns none if there is no such
// directory. Errors are those of Disk::ListFolders.
absl::StatusOr<std::vector<std::pair<uint32_t, std::string>>> ListLanes(Disk& disk, const std::string& data_dir);

// The identity of a lane and the lock on its folder. Owns the lock. Not thread-safe. The disk and the clock must
// outlive it.
class LaneDirectory {
 public:
  // Opens and locks the folder, and creates it if needed. An existing lane keeps its ID and gets a new incarnation,
  // which is not on disk before Begin. Returns FAILED_PRECONDITION in three cases: another process uses the folder, it
  // has another format, or its IDENTITY is broken. A broken IDENTITY is left as it is.
  static absl::StatusOr<LaneDirectory> Open(Disk& disk, const Clock& clock, const std::string& data_dir,
                                            uint32_t number);
  // Does the same for a folder given by its own path, but does not lock it. It is meant for a simulated disk.
  static absl::StatusOr<LaneDirectory> OpenUnlocked(Disk& disk, const Clock& clock, const std::string& path);

  const LaneIdentity& identity() const { return identity_; }
  const std::string& path() const { return path_; }
  // Writes the identity durably, with the present incarnation only if the lane is new. Call it before any other file of
  // the lane is written: a crash may undo an IDENTITY that an earlier process wrote but failed to sync, and a journal
  // of another identity is refused.
  absl::Status Prepare();
  // Writes the present incarnation durably. The store must not be claimed before that.
  absl::Status Begin();

  // Returns the journal's end at the first start that took views without having met the store. Returns nothing if the
  // lane has met the store since. As long as it is set, no process has moved one of the lane's cursors beyond it. A
  // cursor beyond it therefore comes from another history of this lane, even if the journal has grown past that
  // position meanwhile.
  std::optional<Position> unchecked() const { return unchecked_; }
  // Records that views are about to be taken without the store; call it before that. `end` is the journal's end. An
  // earlier recorded position is kept. The present incarnation is not written, so that starts during a long outage do
  // not fill the list.
  absl::Status BeginUnchecked(Position end);
  // Records that the store's cursors were compared with the journal. Call it before one of them is moved.
  absl::Status EndUnchecked();

  // The decision about the lane's identity at a start.
  enum class Verdict : uint8_t {
    // The journal continues from where the store is.
    kKeep,
    // The journal was lost or is an older copy. Everything that it holds has been counted.
    kAbandon,
    // The journal is an older copy, but this copy then took everything beyond `unchecked` without the store. Those
    // views are in no store.
    kFenceOff,
  };
  // Compares the store with the journal. `stored` is the farthest position that any shard of the store has reached for
  // this lane, under an incarnation that this folder knows. `end` is the journal's end. `taking` means that views are
  // being taken now, so that the identity cannot be changed.
  Verdict Judge(Position stored, Position end, bool taking) const;
  // Replaces the identity with a new one and moves the old one's journal aside. Includes Begin.
  absl::Status Abandon();
  // Returns true if the folder has the file RETIRED.
  bool retired() const { return retired_; }
  // Creates or removes the file RETIRED. Does nothing if it is already so.
  absl::Status SetRetired(bool retired);
  // Removes the folder of a lane that will not be used again. Even a crash leaves it either complete or removed.
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
  // The creation time as it is written in the file.
  std::string created_;
  std::optional<Position> unchecked_;
  // True if the present incarnation is in the file.
  bool begun_ = false;
  bool retired_ = false;
};

}  // namespace viewcount
