// Shows the progress of an import in one line on the terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "client/cli/byte_source.h"
#include "client/cli/import_summary.h"

namespace viewcount::cli {

// Writes to standard error, and only if that is a terminal. Not thread-safe.
class Progress {
 public:
  Progress();
  // Removes the progress line.
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows the progress of the import of `file`, at most five times a second.
  void Show(const std::string& file, const ImportCounts& counts, const ByteSource& source);
  // Removes the progress line, so that other text can be written.
  void Clear();

 private:
  using Time = std::chrono::steady_clock::time_point;
  const bool terminal_;
  const Time started_;
  Time shown_;
  bool visible_ = false;
};

}  // namespace viewcount::cli
