#include "tests/fault/burst.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/channel.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "client/cpp/batch_sender.h"
#include "tests/fault/load.h"
#include "viewcount/v1/ingest.grpc.pb.h"

namespace viewcount {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kCallTimeout{30};
constexpr std::chrono::milliseconds kRetryPause{50};

bool HasRetryInfo(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return false;
  for (const auto& detail : details.details()) {
    if (detail.Is<google::rpc::RetryInfo>()) return true;
  }
  return false;
}

// One of the threads that share the batches.
class Sender {
 public:
  Sender(const BurstOptions& options, Truth& truth, std::atomic<int>& next, std::atomic<bool>& refused)
      : options_(options),
        truth_(truth),
        next_(next),
        refused_(refused),
        give_up_(steady_clock::now() + options.patience),
        stub_(v1::IngestService::NewStub(client::MakeChannel(options.server))) {}

  void Run() {
    while (!Stopped()) {
      const int batch = next_++;
      if (batch >= options_.batches) return;
      Send(batch);
    }
  }
  const BurstOutcome& outcome() const { return outcome_; }

 private:
  bool Stopped() const { return options_.stop_at_refusal && refused_; }

  void Send(int batch) {
    const uint64_t seed = options_.seed * 1'000'003 + batch;
    ZipfArticles draw(truth_.articles(), seed * 0x9E3779B97F4A7C15U);
    std::vector<int> articles(options_.views_per_batch);
    v1::RecordViewsRequest request;
    request.set_site("demo");
    request.set_sequence(1);
    std::string writer(16, '\0');
    std::mt19937_64 random(seed);
    for (char& byte : writer) byte = static_cast<char>(random());
    request.set_writer_id(writer);
    for (int& article : articles) {
      article = draw.Draw();
      truth_.Offer(article);
      request.add_views()->set_article_id(truth_.IdOf(article));
    }
    if (!Deliver(request)) return;
    for (const int article : articles) truth_.Acknowledge(article);
    ++outcome_.batches;
  }

  bool Deliver(const v1::RecordViewsRequest& request) {
    // A refusal says that nothing was counted. After any other error the batch may have been counted.
    bool may_be_counted = false;
    while (true) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
      v1::RecordViewsResponse response;
      const grpc::Status status = stub_->RecordViews(&context, request, &response);
      if (status.ok()) return true;
      outcome_.last_error = status.error_message();
      if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
        ++outcome_.refusals;
        outcome_.refusals_without_retry_info += HasRetryInfo(status) ? 0 : 1;
        refused_ = true;
      } else {
        may_be_counted = true;
      }
      if (steady_clock::now() >= give_up_ || (Stopped() && !may_be_counted)) {
        // With stop_at_refusal, a batch that was only refused is not a loss.
        outcome_.unacknowledged += may_be_counted || !Stopped() ? 1 : 0;
        return false;
      }
      std::this_thread::sleep_for(kRetryPause);
    }
  }

  const BurstOptions& options_;
  Truth& truth_;
  std::atomic<int>& next_;
  std::atomic<bool>& refused_;
  const steady_clock::time_point give_up_;
  const std::unique_ptr<v1::IngestService::Stub> stub_;
  BurstOutcome outcome_;
};

}  // namespace

BurstOutcome SendBurst(const BurstOptions& options, Truth& truth) {
  std::atomic<int> next{0};
  std::atomic<bool> refused{false};
  std::vector<std::unique_ptr<Sender>> senders;
  std::vector<std::thread> threads;
  for (int i = 0; i < options.at_once; ++i) {
    senders.push_back(std::make_unique<Sender>(options, truth, next, refused));
    threads.emplace_back([&sender = *senders.back()] { sender.Run(); });
  }
  BurstOutcome sum;
  for (int i = 0; i < options.at_once; ++i) {
    threads[i].join();
    const BurstOutcome& part = senders[i]->outcome();
    sum.batches += part.batches;
    sum.refusals += part.refusals;
    sum.refusals_without_retry_info += part.refusals_without_retry_info;
    sum.unacknowledged += part.unacknowledged;
    if (!part.last_error.empty()) sum.last_error = part.last_error;
  }
  return sum;
}

}  // namespace viewcount
