// Asks the service what it knows of the writers of logs, and records milestones.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/log_identity.h"
#include "client/cpp/batch_sender.h"

namespace viewcount::cli {

// A batch with this sequence is never the next one of its writer. The service refuses it and names the next one, so it
// is a question that changes nothing.
inline constexpr uint64_t kQuestionSequence = std::numeric_limits<int64_t>::max();

// Sends a serialised RecordViewsRequest until its outcome is known, as BatchSender::Send does.
using SendRequest = std::function<client::SendResult(const std::string&)>;

// The service's answer about the log in one slot.
struct LogClaim {
  uint32_t slot = 0;
  // The writer's last sequence. It contains how many lines are counted, and their check.
  uint64_t sequence = 0;

  uint64_t lines() const { return LineOfSequence(sequence); }
};

// The file from which the views of a time were imported.
enum class TimeOwner : uint8_t { kNone, kThisFile, kAnotherFile };

// Questions about the logs of one site. Not thread-safe. All functions return the service's error if there is no
// answer.
class ImportWriters {
 public:
  ImportWriters(std::string site, SendRequest send);

  // Returns what is known of all logs with this first line, by slot. The slot after them is free. Returns
  // RESOURCE_EXHAUSTED if there are 1,000 such logs.
  absl::StatusOr<std::vector<LogClaim>> ClaimsOf(std::string_view first_line) const;
  // Returns true if the milestone is recorded.
  absl::StatusOr<bool> HasMilestone(uint32_t slot, uint64_t number, const LinesDigest& digest) const;
  // Records a milestone. Nothing changes if it was recorded before.
  absl::Status RecordMilestone(uint32_t slot, uint64_t number, const LinesDigest& digest) const;
  // Tells the service that a writer has no views from the sequence after `from` to `to`, which are those of at most
  // kBatchLinesMax lines. Returns the outcome of the request.
  client::SendResult SkipTo(const std::string& writer_id, uint64_t from, uint64_t to) const;
  // Returns from which file the views of a time were imported, seen from the file of a writer. A time has a writer of
  // its own, named by `counter` and `time`, whose last sequence stands for the file. `time` is the number of a day, or
  // of another unit that the counter always uses. Changes nothing.
  absl::StatusOr<TimeOwner> OwnerOf(std::string_view counter, uint32_t time, std::string_view file_writer_id) const;
  // Notes that the file of a writer has the views of a time that has no owner. Returns false if another file was noted
  // for it meanwhile.
  absl::StatusOr<bool> ClaimTime(std::string_view counter, uint32_t time, std::string_view file_writer_id) const;
  // Returns how many lines an earlier version imported of a log that begins with `head`, or 0. That version identified
  // a log shorter than 4 KiB by all its lines, so each number of lines is tried.
  absl::StatusOr<uint64_t> OldLines(std::string_view head) const;

 private:
  // Returns the last sequence of a writer, or nothing if the service does not know it. Changes nothing.
  absl::StatusOr<std::optional<uint64_t>> LastSequence(const std::string& writer_id) const;

  const std::string site_;
  const SendRequest send_;
};

}  // namespace viewcount::cli
