// A snapshot, dump.rdb, that somebody restored into the folder of the embedded redis-server.
//
// Redis 7 with an append-only file reads its appendonlydir/ and nothing else: beside a dump.rdb it starts empty, and
// says nothing about it. So a dump beside no data set is made the base file of a new one before the server starts.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>

namespace viewcount {

enum class RestoredDump {
  kNone,
  // It is now the data set. The server must be seen to have loaded it, else UndoTakeRestoredDump.
  kTaken,
  // There is one beside a data set, which is what the server reads.
  kBeside,
};

// `folder` is the server's, and no server runs in it. Whole or not at all even in a crash; the dump stays. Copies the
// file, which takes as much room again until Redis rewrites its append-only file. FAILED_PRECONDITION, with the next
// step in its message, for a dump that cannot be read, and for data files without the manifest that Redis finds them
// by: it would start empty beside them.
absl::StatusOr<RestoredDump> TakeRestoredDump(const std::string& folder);

// The server cannot load what was taken: removes it, so that the next start takes what is there then.
void UndoTakeRestoredDump(const std::string& folder);

// What to say of a dump that is beside a data set without a single key.
absl::Status DumpBesideNothing(const std::string& folder);

}  // namespace viewcount
