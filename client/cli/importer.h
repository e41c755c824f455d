// Imports access logs so that every line counts once, however often and in whatever state its file is imported.
//
// A file is a writer: its ID is a hash of the site and of the file's first kHeadBytes, its sequences are the numbers of
// its lines. The service remembers the last sequence of the writer, so a repeated import learns from the first answer
// where to go on.
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

// What was done, over all files. lines = imported before + page views + no page views + bad lines, but that damage of a
// compressed file counts as a bad line too, without being one of the lines.
struct ImportCounts {
  uint64_t lines = 0;
  // Acknowledged by an earlier import; their views are not in `views`.
  uint64_t imported_before_lines = 0;
  uint64_t views = 0;
  // Other requests, other methods, blank lines.
  uint64_t other_lines = 0;
  uint64_t bad_lines = 0;
};

struct ImporterOptions {
  std::string site;
  // Sends a serialised RecordViewsRequest until its outcome is known; BatchSender::Send.
  std::function<client::SendResult(const std::string&)> send;
  // Told of every bad line when its batch is acknowledged; of damage with line number 0. May be empty.
  std::function<void(const BadLine&)> on_bad_line;
  // Told now and then. May be empty.
  std::function<void(const ImportCounts&, const ByteSource&)> on_progress;
};

// Not thread safe.
class Importer {
 public:
  explicit Importer(ImporterOptions options);

  // Imports the rest of what `reader` gives; `name` is for messages: the path, or `-`.
  //
  // Errors: reading failed, or the service refused a batch or stayed away. The message says up to which line all is
  // counted and what to do; the service's details are kept as payloads. It never goes on under another identity, which
  // could count lines twice.
  absl::Status Import(LineReader& reader, std::string_view name);

  // Of everything acknowledged so far.
  const ImportCounts& counts() const { return counts_; }
  // Distinct articles among `views`.
  uint64_t articles() const { return articles_.size(); }

 private:
  // Sends the batch and leaves it empty.
  absl::Status Deliver(ImportBatch& batch, std::string_view name);
  void Count(const ImportBatch& batch);
  void Report(const BadLine& bad) const;

  const ImporterOptions options_;
  ImportCounts counts_;
  // Hashes, so that a year's log with millions of addresses does not fill the memory: 64 bits mistake one article for
  // another once in millions of such logs, and only in this number.
  std::unordered_set<uint64_t> articles_;
  // Of the file under way: the last line of which the service said that it has it.
  uint64_t acknowledged_line_ = 0;
};

// The 16 bytes that identify a file's import into a site. Fixed for good: services remember them. Thread safe.
std::string ImportWriterId(std::string_view site, std::string_view head);

}  // namespace viewcount::cli
