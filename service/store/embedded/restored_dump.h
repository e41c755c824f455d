// Takes over a snapshot, dump.rdb, that an operator restored into the folder of the embedded redis-server.
//
// Redis 7 with an append-only file reads only its appendonlydir/. If there is only a dump.rdb, Redis starts empty
// without a warning. So a dump without a data set is made the base file of a new data set before the server starts. The
// functions are not thread-safe.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>

namespace viewcount {

enum class RestoredDump {
  kNone,
  // The snapshot is now the data set. The caller must see the server load it, or else call UndoTakeRestoredDump.
  kTaken,
  // There is a snapshot, but also a data set, which is the one that the server reads. The snapshot is from an earlier
  // run, or the server wrote it itself.
  kBeside,
};

// Makes a restored snapshot the data set. `folder` is the server's, and no server may run in it. Even a crash leaves
// this done completely or not at all. The dump stays. The file is copied, which takes the same room again until Redis
// rewrites its append-only file.
//
// FAILED_PRECONDITION, with the next step in its message, for what the server would ignore:
//  - A dump that cannot be read.
//  - A dump that was put beside a data set since the server last ran.
//  - Data files without the manifest by which Redis finds them. Redis would start empty.
absl::StatusOr<RestoredDump> TakeRestoredDump(const std::string& folder);

// Removes a snapshot's data set that the server cannot load. The next start then takes over the dump of that time.
void UndoTakeRestoredDump(const std::string& folder);

// Returns the error for a dump whose data set does not hold a single key.
absl::Status DumpBesideNothing(const std::string& folder);

}  // namespace viewcount
