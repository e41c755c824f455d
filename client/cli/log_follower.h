// Follows logs that grow, through their rotation.
//
// A log that is renamed is read on under its descriptor until it has been quiet for a minute, beside the new file. A
// log that is truncated (copytruncate) is read on in the copy, which must be named FILE.1, and from its beginning. At
// the start FILE.1 is imported too, because lines may have been written to it while nothing followed. Nothing is kept
// on this machine: the service knows which lines are counted.
#pragma once

#include <absl/status/status.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/imported_log.h"

namespace viewcount::cli {

// Follows some files. Not thread-safe. The options and the summary must outlive it.
class LogFollower {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Files that do not exist yet are waited for.
  LogFollower(const ImporterOptions& options, ImportSummary& summary, std::vector<std::string> files);

  // Imports all whole lines that were written since the last call. Call it several times a second. Returns the errors
  // of ImportedLog::Advance, and an error for a file that exists and cannot be read. It must not be called again after
  // an error.
  absl::Status Poll(Time now);

 private:
  struct OpenLog {
    std::string path;
    FileId file;
    // Null after the end of a compressed file, which is not read again.
    std::unique_ptr<ImportedLog> log;
    // True if the path names another file now.
    bool rotated = false;
    // When the log was last seen to grow.
    Time grown;
  };

  // Opens `path` and adds it to the open logs. Does nothing if the file does not exist or is open.
  absl::Status Open(const std::string& path, bool rotated, Time now);
  bool IsOpen(const FileId& file) const;
  // Takes note of logs whose path names another file now.
  void HandleRenaming(Time now);
  // Closes logs that were truncated, and opens their copies.
  absl::Status HandleTruncation(Time now);
  // Opens the file of each path that has none open.
  absl::Status OpenNewFiles(Time now);
  // Imports the new lines of a log. Returns false if nothing more will be written to it.
  absl::StatusOr<bool> Advance(OpenLog& open, Time now);

  const ImporterOptions& options_;
  ImportSummary& summary_;
  const std::vector<std::string> files_;
  std::vector<OpenLog> logs_;
  bool started_ = false;
};

}  // namespace viewcount::cli
