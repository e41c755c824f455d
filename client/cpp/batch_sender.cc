#include "client/cpp/batch_sender.h"

#include <absl/strings/str_cat.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>

#include "client/cpp/backoff.h"

namespace viewcount::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kRecordViews[] = "/viewcount.v1.IngestService/RecordViews";

bool IsWorthRetrying(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
      return true;
    default:
      return false;
  }
}

// Converts a deadline to system time, which gRPC requires.
std::chrono::system_clock::time_point OnSystemClock(steady_clock::time_point time) {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(time - steady_clock::now());
}

grpc::Status Parse(grpc::ByteBuffer& buffer, v1::RecordViewsResponse& response) {
  grpc::Slice slice;
  if (buffer.DumpToSingleSlice(&slice).ok() && response.ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) {
    return grpc::Status::OK;
  }
  return {grpc::StatusCode::INTERNAL, "the answer is not a RecordViewsResponse"};
}

absl::Status GivenUp(const absl::Status& last, milliseconds after) {
  absl::Status status(last.code(),
                      absl::StrCat("not acknowledged within ", after.count(), " ms; last error: ", last.message()));
  last.ForEachPayload([&](absl::string_view url, const absl::Cord& detail) { status.SetPayload(url, detail); });
  return status;
}

}  // namespace

BatchSender::BatchSender(const std::shared_ptr<grpc::Channel>& channel, SendOptions options)
    : stub_(channel), options_(std::move(options)) {}

SendResult BatchSender::Send(const std::string& request) {
  const auto deadline = steady_clock::now() + options_.batch_timeout;
  // The slice is a reference-counted copy. The transport may still hold it after an attempt has ended by its deadline.
  const grpc::Slice slice(request);
  const grpc::ByteBuffer buffer(&slice, 1);
  Backoff backoff(options_.backoff_min, options_.backoff_max);
  SendResult result;
  while (!cancelled()) {
    const auto status =
        Attempt(buffer, std::min(deadline, steady_clock::now() + options_.call_timeout), result.response);
    if (status.ok()) {
      result.status = absl::OkStatus();
      result.details = {};
      return result;
    }
    const bool over = steady_clock::now() >= deadline;
    // An attempt that failed only because the batch's deadline arrived says less than the attempt before it.
    if (!over || status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED || result.retries == 0) {
      result.status = ToAbslStatus(status);
      result.details = DetailsOf(status);
    }
    if (!IsWorthRetrying(status.error_code())) return result;
    // RESOURCE_EXHAUSTED means a full queue. It is the only retried error that says that nothing was counted.
    if (status.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED) result.outcome_unknown = true;
    const auto delay = backoff.Next(result.details.retry_delay.value_or(milliseconds(0)));
    if (over || steady_clock::now() + delay >= deadline) {
      if (!cancelled()) result.status = GivenUp(result.status, options_.batch_timeout);
      break;
    }
    if (!cancelled() && options_.on_retry) options_.on_retry(result.status, delay);
    if (!Sleep(delay)) break;
    ++result.retries;
    ++retries_;
  }
  if (cancelled()) result.status = absl::CancelledError("cancelled before the batch was acknowledged");
  return result;
}

grpc::Status BatchSender::Attempt(const grpc::ByteBuffer& request, steady_clock::time_point deadline,
                                  v1::RecordViewsResponse& response) {
  grpc::ClientContext context;
  context.set_deadline(OnSystemClock(deadline));
  grpc::ByteBuffer received;
  bool done = false;
  grpc::Status status;
  {
    const MutexLock lock(mutex_);
    if (cancelled_) return grpc::Status::CANCELLED;
    running_ = &context;
  }
  stub_.UnaryCall(&context, kRecordViews, grpc::StubOptions(), &request, &received, [&](grpc::Status outcome) {
    // The notification happens under the lock. After the lock is released, the condition variable may be destroyed.
    const MutexLock lock(mutex_);
    status = std::move(outcome);
    done = true;
    changed_.notify_all();
  });
  {
    MutexLock lock(mutex_);
    while (!done) lock.Wait(changed_);
    running_ = nullptr;
  }
  return status.ok() ? Parse(received, response) : status;
}

bool BatchSender::Sleep(milliseconds delay) {
  const auto end = steady_clock::now() + delay;
  MutexLock lock(mutex_);
  while (!cancelled_) {
    if (!lock.WaitUntil(changed_, end)) break;
  }
  return !cancelled_;
}

bool BatchSender::cancelled() {
  const MutexLock lock(mutex_);
  return cancelled_;
}

void BatchSender::Cancel() {
  const MutexLock lock(mutex_);
  cancelled_ = true;
  if (running_ != nullptr) running_->TryCancel();
  changed_.notify_all();
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& server) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  return grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace viewcount::client
