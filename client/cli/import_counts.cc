#include "client/cli/import_counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <variant>

#include "client/cpp/rpc_error.h"
#include "service/adjustments/transfer_limits.h"
#include "service/base/status.h"

namespace viewcount::cli {
namespace {

// A call has at most so many counts. Its answer says that they are imported.
constexpr uint64_t kCallCounts = 200'000;
// The longest time of one call. A service that writes to Redis slowly may let it wait.
constexpr std::chrono::minutes kCallTimeout{10};
constexpr std::chrono::milliseconds kPauseMin{100};
constexpr std::chrono::milliseconds kPauseMax{5'000};

bool MayPass(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    // A broken connection or a proxy answers with these in place of a service.
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return true;
    default:
      return false;
  }
}

}  // namespace

CountsSender::CountsSender(Session& session, CountsFile& file, v1::ImportHeader header, CountsSenderOptions options)
    : session_(session), file_(file), header_(std::move(header)), options_(std::move(options)) {}

absl::StatusOr<v1::ImportCountsResponse> CountsSender::Check() {
  while (true) {
    auto reached = TryCheck();
    if (reached.ok()) {
      pause_ = {};
      return reached;
    }
    if (auto status = Retry(reached.status()); !status.ok()) return status;
  }
}

absl::StatusOr<v1::ImportCountsResponse> CountsSender::TryCheck() {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + session_.options().call_timeout());
  v1::ImportCountsResponse response;
  const auto writer = session_.admin().ImportCounts(&context, &response);
  v1::ImportCountsRequest request;
  *request.mutable_header() = header_;
  request.mutable_header()->set_check_only(true);
  // A failed write ends the call, and Finish has the reason.
  writer->Write(request);
  writer->WritesDone();
  const auto status = writer->Finish();
  if (!status.ok()) return session_.Explain(status);
  return response;
}

absl::Status CountsSender::GoTo(uint64_t imported) {
  if (imported < read_rows_) {
    if (auto status = file_.Rewind(); !status.ok()) return status;
    held_.reset();
    read_rows_ = 0;
  }
  v1::CountRow row;
  while (read_rows_ < imported) {
    const auto more = NextRow(row);
    if (!more.ok()) return more.status();
    if (!*more) return absl::FailedPreconditionError("the file was changed during the import");
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> CountsSender::NextRow(v1::CountRow& row) {
  if (held_) {
    row = *std::exchange(held_, std::nullopt);
    ++read_rows_;
    return true;
  }
  while (true) {
    auto item = file_.Next();
    if (!item.ok()) return item.status();
    if (!item->has_value()) return false;
    auto* found = std::get_if<v1::CountRow>(&**item);
    if (found == nullptr) continue;
    row = std::move(*found);
    ++read_rows_;
    return true;
  }
}

absl::StatusOr<bool> CountsSender::Fill(v1::ImportCountsRequest& request, size_t& counts) {
  while (static_cast<size_t>(request.rows_size()) < kImportRowsMax) {
    v1::CountRow row;
    const auto read = NextRow(row);
    if (!read.ok() || !*read) return read;
    if (counts + static_cast<size_t>(row.counts_size()) > kImportCountsMax) {
      held_ = std::move(row);
      --read_rows_;
      return true;
    }
    counts += static_cast<size_t>(row.counts_size());
    *request.add_rows() = std::move(row);
  }
  return true;
}

absl::StatusOr<bool> CountsSender::SendSome() {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
  v1::ImportCountsResponse response;
  const auto writer = session_.admin().ImportCounts(&context, &response);
  v1::ImportCountsRequest request;
  *request.mutable_header() = header_;
  absl::Status of_file;
  bool more = true;
  bool written = true;
  uint64_t counts = 0;
  // The first message has the header alone: the service answers with an error before it gets rows.
  while (written && more && counts < kCallCounts) {
    written = writer->Write(request);
    request.Clear();
    request.set_first_row(read_rows_ + 1);
    size_t message_counts = 0;
    const auto filled = Fill(request, message_counts);
    of_file = filled.status();
    more = filled.ok() && *filled;
    // A row without counts costs as much as one with a count.
    counts += message_counts + static_cast<uint64_t>(request.rows_size());
  }
  if (written && request.rows_size() > 0) written = writer->Write(request);
  if (!of_file.ok()) {
    context.TryCancel();
    static_cast<void>(writer->Finish());
    return of_file;
  }
  writer->WritesDone();
  const auto status = writer->Finish();
  if (!status.ok()) return session_.Explain(status);
  result_.set_adjustment_id(response.adjustment_id());
  result_.set_imported_rows(response.imported_rows());
  result_.set_new_rows(result_.new_rows() + response.new_rows());
  result_.set_left_out_days(result_.left_out_days() + response.left_out_days());
  result_.set_left_out_hours(result_.left_out_hours() + response.left_out_hours());
  result_.set_complete(response.complete());
  last_success_ = std::chrono::steady_clock::now();
  pause_ = {};
  if (options_.on_progress) options_.on_progress(response.imported_rows());
  return more;
}

absl::Status CountsSender::Retry(const absl::Status& error) {
  if (!MayPass(error)) return error;
  if (pause_.count() == 0 && options_.on_retry) options_.on_retry(error);
  pause_ = std::clamp(2 * pause_, kPauseMin, kPauseMax);
  if (std::chrono::steady_clock::now() + pause_ - last_success_ >= options_.retry_for) return error;
  std::this_thread::sleep_for(pause_);
  return absl::OkStatus();
}

absl::Status CountsSender::Send() {
  last_success_ = std::chrono::steady_clock::now();
  pause_ = {};
  // True if the file is at the row that the service expects.
  bool placed = false;
  while (true) {
    absl::Status error;
    if (!placed) {
      // The service may have more rows than it answered.
      const auto reached = TryCheck();
      error = reached.status();
      if (reached.ok()) {
        if (auto status = GoTo(reached->imported_rows()); !status.ok()) return status;
        placed = true;
      }
    } else {
      const auto more = SendSome();
      error = more.status();
      placed = more.ok();
      if (more.ok() && !*more) {
        if (file_.rows_hash() == header_.content_id()) return absl::OkStatus();
        return absl::FailedPreconditionError("the file was changed during the import");
      }
    }
    if (error.ok()) continue;
    if (auto status = Retry(error); !status.ok()) return status;
  }
}

}  // namespace viewcount::cli
