#include "tests/support/fake_ingest.h"

#include <google/protobuf/util/time_util.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server_builder.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "service/base/check.h"

namespace viewcount::testing {
namespace {

grpc::Status WithDetail(grpc::StatusCode code, const std::string& message, const google::protobuf::Message& detail) {
  google::rpc::Status trailer;
  trailer.set_code(code);
  trailer.set_message(message);
  trailer.add_details()->PackFrom(detail);
  return {code, message, trailer.SerializeAsString()};
}

grpc::ByteBuffer BufferOf(const v1::RecordViewsResponse& response) {
  const grpc::Slice slice(response.SerializeAsString());
  return {&slice, 1};
}

}  // namespace

grpc::Status WithReason(grpc::StatusCode code, const std::string& reason,
                        const std::map<std::string, std::string>& metadata) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("viewcount");
  info.mutable_metadata()->insert(metadata.begin(), metadata.end());
  return WithDetail(code, reason, info);
}

grpc::Status WithRetryDelay(grpc::StatusCode code, std::chrono::milliseconds delay) {
  google::rpc::RetryInfo info;
  *info.mutable_retry_delay() = google::protobuf::util::TimeUtil::MillisecondsToDuration(delay.count());
  return WithDetail(code, "later", info);
}

// Handles raw bytes, so that tests see exactly what was sent, not what a parser made of it. `mutex` guards all members.
class FakeIngest::Service : public v1::IngestService::WithRawCallbackMethod_RecordViews<v1::IngestService::Service> {
 public:
  grpc::ServerUnaryReactor* RecordViews(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override {
    auto* reactor = context->DefaultReactor();
    Attempt attempt;
    grpc::Slice slice;
    VIEWCOUNT_CHECK(request->DumpToSingleSlice(&slice).ok());
    attempt.bytes.assign(reinterpret_cast<const char*>(slice.begin()), slice.size());
    VIEWCOUNT_CHECK(attempt.request.ParseFromString(attempt.bytes));
    const std::lock_guard lock(mutex);
    Answer(reactor, attempt, response);
    attempts.push_back(std::move(attempt));
    changed.notify_all();
    return reactor;
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Fault> script;
  std::function<Fault(const Attempt&)> decide;
  std::vector<grpc::ServerUnaryReactor*> hanging;
  std::vector<Attempt> attempts;
  std::vector<v1::RecordViewsRequest> counted;
  std::map<std::string, uint64_t> last_sequences;

 private:
  Fault Next(const Attempt& attempt) {
    if (decide) return decide(attempt);
    if (script.empty()) return {};
    Fault fault = script.front();
    script.pop_front();
    return fault;
  }

  void Answer(grpc::ServerUnaryReactor* reactor, const Attempt& attempt, grpc::ByteBuffer* response) {
    const Fault fault = Next(attempt);
    if (fault.kind == Fault::Kind::kRefuse) return reactor->Finish(fault.status);
    if (fault.kind == Fault::Kind::kHang) return hanging.push_back(reactor);
    if (fault.kind == Fault::Kind::kForget) last_sequences.clear();
    if (fault.kind == Fault::Kind::kRollBack) last_sequences[attempt.request.writer_id()] -= fault.sequences;
    const auto status = Take(attempt.request, response);
    if (fault.kind == Fault::Kind::kLoseReply) return reactor->Finish(fault.status);
    if (fault.kind == Fault::Kind::kCountAndHang) return hanging.push_back(reactor);
    reactor->Finish(status);
  }

  // Applies the writers' rules of ingest.proto to the request: counts it, or reports a duplicate, a gap or an unknown
  // writer.
  grpc::Status Take(const v1::RecordViewsRequest& request, grpc::ByteBuffer* response) {
    v1::RecordViewsResponse answer;
    answer.set_durability(v1::DURABILITY_JOURNALED);
    if (request.writer_id().empty()) {
      Count(request, answer);
      *response = BufferOf(answer);
      return grpc::Status::OK;
    }
    const auto known = last_sequences.find(request.writer_id());
    const uint64_t last = known == last_sequences.end() ? 0 : known->second;
    if (request.sequence() > last + 1) {
      return known == last_sequences.end() ? WithReason(grpc::StatusCode::FAILED_PRECONDITION, "UNKNOWN_WRITER")
                                           : WithReason(grpc::StatusCode::FAILED_PRECONDITION, "SEQUENCE_GAP",
                                                        {{"expected_sequence", std::to_string(last + 1)}});
    }
    if (request.sequence() <= last) {
      answer.set_duplicate(true);
      answer.set_last_sequence(last);
    } else {
      const uint64_t end = request.sequence() + std::max(request.sequence_span(), 1U) - 1;
      last_sequences[request.writer_id()] = end;
      Count(request, answer);
      answer.set_last_sequence(end);
    }
    *response = BufferOf(answer);
    return grpc::Status::OK;
  }

  void Count(const v1::RecordViewsRequest& request, v1::RecordViewsResponse& answer) {
    uint64_t views = 0;
    for (const auto& view : request.views()) views += std::max(view.count(), 1U);
    answer.set_accepted_views(views);
    counted.push_back(request);
  }
};

FakeIngest::FakeIngest(const std::vector<grpc::Service*>& others) : service_(std::make_unique<Service>()) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(service_.get());
  for (auto* other : others) builder.RegisterService(other);
  server_ = builder.BuildAndStart();
  VIEWCOUNT_CHECK(server_ != nullptr && port != 0);
  address_ = "127.0.0.1:" + std::to_string(port);
}

FakeIngest::~FakeIngest() {
  Release();
  server_->Shutdown(std::chrono::system_clock::now());
}

void FakeIngest::Script(std::vector<Fault> faults) {
  const std::lock_guard lock(service_->mutex);
  service_->script.insert(service_->script.end(), faults.begin(), faults.end());
}

void FakeIngest::Decide(std::function<Fault(const Attempt&)> decide) {
  const std::lock_guard lock(service_->mutex);
  service_->decide = std::move(decide);
}

void FakeIngest::Release() {
  const std::lock_guard lock(service_->mutex);
  for (auto* reactor : service_->hanging) reactor->Finish({grpc::StatusCode::UNAVAILABLE, "released"});
  service_->hanging.clear();
}

bool FakeIngest::WaitForAttempts(size_t count) {
  std::unique_lock lock(service_->mutex);
  return service_->changed.wait_for(lock, std::chrono::seconds(10), [&] { return service_->attempts.size() >= count; });
}

std::shared_ptr<grpc::Channel> FakeIngest::channel() const {
  return grpc::CreateChannel(address_, grpc::InsecureChannelCredentials());
}

std::vector<Attempt> FakeIngest::attempts() const {
  const std::lock_guard lock(service_->mutex);
  return service_->attempts;
}

std::map<std::string, uint64_t> FakeIngest::counts() const {
  const std::lock_guard lock(service_->mutex);
  std::map<std::string, uint64_t> counts;
  for (const auto& request : service_->counted) {
    for (const auto& view : request.views()) counts[view.article_id()] += std::max(view.count(), 1U);
  }
  return counts;
}

uint64_t FakeIngest::total() const {
  uint64_t total = 0;
  for (const auto& [article, count] : counts()) total += count;
  return total;
}

std::vector<v1::RecordViewsRequest> FakeIngest::counted() const {
  const std::lock_guard lock(service_->mutex);
  return service_->counted;
}

void FakeIngest::ResetCounts() {
  const std::lock_guard lock(service_->mutex);
  service_->counted.clear();
  service_->attempts.clear();
}

}  // namespace viewcount::testing
