// Imports a file of counts.
#pragma once

#include <absl/status/status.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>

#include "client/cli/counts_file.h"
#include "client/cli/session.h"
#include "viewcount/v1/transfer.pb.h"

namespace viewcount::cli {

// The limits of one import and its observers.
struct CountsSenderOptions {
  // How long to try again if the service is away.
  std::chrono::milliseconds retry_for{60'000};
  // Called with the number of imported rows.
  std::function<void(uint64_t rows)> on_progress;
  // Called before the first pause of several.
  std::function<void(const absl::Status& error)> on_retry;
};

// Sends the rows of a file. The service remembers how many rows of an import it has. So rows are sent again after any
// error, and an import that was broken off goes on where it ended. Not thread-safe.
class CountsSender {
 public:
  // The session and the file must outlive it. `header` has everything but `check_only`.
  CountsSender(Session& session, CountsFile& file, v1::ImportHeader header, CountsSenderOptions options);

  // Returns how far the import came before. Changes nothing. Tries again as Send does.
  absl::StatusOr<v1::ImportCountsResponse> Check();
  // Imports all rows. Returns the service's error if it is final, or if the service stays away. FAILED_PRECONDITION if
  // the file was changed meanwhile.
  absl::Status Send();
  // Returns what all calls of Send imported together.
  const v1::ImportCountsResponse& result() const { return result_; }

 private:
  // Makes one attempt of Check.
  absl::StatusOr<v1::ImportCountsResponse> TryCheck();
  // Makes one call with the next rows of the file. Returns false if the file has no more.
  absl::StatusOr<bool> SendSome();
  // Goes to the row after those that are imported.
  absl::Status GoTo(uint64_t imported);
  // Reads the next row of the file, or takes the one that is held. Returns false at the end.
  absl::StatusOr<bool> NextRow(v1::CountRow& row);
  // Fills a message with the next rows. Returns false at the end of the file.
  absl::StatusOr<bool> Fill(v1::ImportCountsRequest& request, size_t& counts);
  // Waits before the next attempt. Returns the error if it is final, or if it is too late for another attempt.
  absl::Status Retry(const absl::Status& error);

  Session& session_;
  CountsFile& file_;
  const v1::ImportHeader header_;
  const CountsSenderOptions options_;
  v1::ImportCountsResponse result_;
  // A row that was read and found no room in the last message.
  std::optional<v1::CountRow> held_;
  // The number of rows read from the file, without `held_`. At first the file may be anywhere.
  uint64_t read_rows_ = std::numeric_limits<uint64_t>::max();
  std::chrono::steady_clock::time_point last_success_ = std::chrono::steady_clock::now();
  std::chrono::milliseconds pause_{};
};

}  // namespace viewcount::cli
