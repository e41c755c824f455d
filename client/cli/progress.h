// Shows the progress of a long command in one line on the terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
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
  // Shows the text that `text` returns, at most five times a second. It is called only then.
  void Show(const std::function<std::string()>& text);
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
