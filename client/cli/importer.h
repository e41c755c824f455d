// Imports access logs so that every line counts once, however often and in whatever state its file is imported.
//
// Each file is a writer. The writer's ID is a hash of the site and of the file's first kHeadBytes, and its sequences
// are the numbers of the file's lines. The service remembers the last sequence of every writer. A repeated import
// therefore learns from the first answer where to continue.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "client/cli/import_batch.h"
#include "client/cli/line_reader.h"
#include "client/cpp/batch_sender.h"

namespace viewcount::cli {

// The result of an import over all its files. lines = imported_before_lines + lines with a page view + other_lines +
// bad lines. Damage of a compressed file also counts in `bad_lines`, although it is not one of the lines.
struct ImportCounts {
  uint64_t lines = 0;
  // Lines that an earlier import had acknowledged. Their views are not part of `views`.
  uint64_t imported_before_lines = 0;
  uint64_t views = 0;
  // Requests that are not page views, other methods, and blank lines.
  uint64_t other_lines = 0;
  uint64_t bad_lines = 0;
};

struct ImporterOptions {
  std::string site;
  // Sends a serialised RecordViewsRequest until its outcome is known, as BatchSender::Send does.
  std::function<client::SendResult(const std::string&)> send;
  // Called for every bad line when its batch is acknowledged, and for damage with line number 0. May be empty.
  std::function<void(const BadLine&)> on_bad_line;
  // Called from time to time, for a progress display. May be empty.
  std::function<void(const ImportCounts&, const ByteSource&)> on_progress;
};

// Imports files one after the other and adds up their counts. Not thread-safe.
class Importer {
 public:
  explicit Importer(ImporterOptions options);

  // Imports the lines of `reader` that were not imported before. `name` is used in messages: the path, or `-`.
  //
  // Returns an error if reading fails, if the service refuses a batch, or if the service stays away. The message says
  // up to which line everything is counted, and what to do. The service's details are kept as payloads. The import
  // never continues under another writer ID, because that could count lines twice.
  absl::Status Import(LineReader& reader, std::string_view name);

  // The counts of everything that was acknowledged so far.
  const ImportCounts& counts() const { return counts_; }
  // The number of distinct articles among `views`.
  uint64_t articles() const { return articles_.size(); }

 private:
  // Sends the batch until all its lines are acknowledged, and leaves it empty.
  absl::Status Deliver(ImportBatch& batch, std::string_view name);
  void Count(const ImportBatch& batch);
  void Report(const BadLine& bad) const;

  const ImporterOptions options_;
  ImportCounts counts_;
  // Hashes of article IDs, because a year's log with millions of articles must not fill the memory. A 64-bit hash
  // confuses two articles once in millions of such logs. Such a collision changes only articles().
  std::unordered_set<uint64_t> articles_;
  // The last line of the current file that the service has acknowledged.
  uint64_t acknowledged_line_ = 0;
};

// Returns the 16 bytes that identify the import of a file into a site. The algorithm must never change, because
// services remember these IDs. Thread-safe.
std::string ImportWriterId(std::string_view site, std::string_view head);

}  // namespace viewcount::cli
