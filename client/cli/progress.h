// A line on the terminal that tells how far an import is.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "client/cli/importer.h"

namespace viewcount::cli {

// Writes to standard error, and only if that is a terminal. Not thread safe.
class Progress {
 public:
  Progress();
  // Takes the line away.
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows how far the file is, at most five times a second.
  void Show(const std::string& file, const ImportCounts& counts, const ByteSource& source);
  // Takes the line away, so that something else can be written.
  void Clear();

 private:
  using Time = std::chrono::steady_clock::time_point;
  const bool terminal_;
  const Time started_;
  Time shown_;
  bool visible_ = false;
};

}  // namespace viewcount::cli
