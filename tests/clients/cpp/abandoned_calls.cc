// Makes calls on many connections that are cancelled, run out of time, or are never read to their end.
//
//   abandoned_calls ADDRESS CALLS
//
// Prints how many calls ended with which code. The exit code is 1 if a call ended with a code that an abandoned call
// cannot have.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/clients/cpp/channel.h"

namespace viewcount::clients {
namespace {
using namespace std::chrono_literals;

// A connection may abandon 10,000 calls in a burst and 1,000 per second.
constexpr int kCallsPerChannel = 5'000;
constexpr int kChannelsMin = 8;
constexpr int kCallsAtOnce = 400;
constexpr size_t kArticleBytes = 400;
constexpr size_t kAskedArticles = 10;
constexpr size_t kWatchedArticles = 50;

// The codes that calls ended with, and the number of calls under way. Thread-safe.
class Tally {
 public:
  // Waits until one more call may begin.
  void Begin() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return open_ < kCallsAtOnce; });
    ++open_;
  }
  void End(grpc::StatusCode code) {
    const std::lock_guard lock(mutex_);
    --open_;
    ++codes_[code];
    ended_.notify_all();
  }
  std::map<grpc::StatusCode, int> WaitForAll() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return open_ == 0; });
    return codes_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  int open_ = 0;
  std::map<grpc::StatusCode, int> codes_;
};

// A WatchCounts of which at most one message is read. Deletes itself when it has ended.
class Watch final : public grpc::ClientReadReactor<v1::WatchCountsResponse> {
 public:
  Watch(Channel& channel, Tally& tally, bool reads, std::chrono::microseconds timeout)
      : tally_(tally), request_(Watching(MakeArticles("/watched", kWatchedArticles, kArticleBytes))) {
    context_.set_deadline(std::chrono::system_clock::now() + timeout);
    channel.query().async()->WatchCounts(&context_, &request_, this);
    if (reads) StartRead(&message_);
    StartCall();
  }

 private:
  void OnDone(const grpc::Status& status) override {
    tally_.End(status.error_code());
    delete this;
  }

  Tally& tally_;
  grpc::ClientContext context_;
  v1::WatchCountsRequest request_;
  v1::WatchCountsResponse message_;
};

// Cancels calls some time after they began. It uses a separate thread. Thread-safe.
class Canceller {
 public:
  Canceller() : thread_([this](const std::stop_token& stop) { Run(stop); }) {}
  void Add(std::shared_ptr<CountsCall> call, std::chrono::microseconds delay) {
    const std::lock_guard lock(mutex_);
    calls_.emplace(std::chrono::steady_clock::now() + delay, std::move(call));
  }

 private:
  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<std::shared_ptr<CountsCall>> due;
      {
        const std::lock_guard lock(mutex_);
        const auto end = calls_.upper_bound(std::chrono::steady_clock::now());
        for (auto call = calls_.begin(); call != end; ++call) due.push_back(std::move(call->second));
        calls_.erase(calls_.begin(), end);
      }
      for (const auto& call : due) call->context.TryCancel();
      std::this_thread::sleep_for(200us);
    }
  }

  std::mutex mutex_;
  std::multimap<std::chrono::steady_clock::time_point, std::shared_ptr<CountsCall>> calls_;
  std::jthread thread_;
};

[[noreturn]] void Run(const std::string& address, int calls) {
  Tally tally;
  Canceller canceller;
  std::deque<Channel> channels;
  const int channels_wanted = std::max(kChannelsMin, calls / kCallsPerChannel);
  for (int number = 0; number < channels_wanted; ++number) channels.emplace_back(address);
  for (int number = 0; number < calls; ++number) {
    Channel& channel = channels[number % channels.size()];
    tally.Begin();
    const auto done = [&tally](const grpc::Status& status, const auto&) { tally.End(status.error_code()); };
    const auto articles = MakeArticles("/abandoned/" + std::to_string(number % 1'000), kAskedArticles, kArticleBytes);
    switch (number % 4) {
      case 0:
        CountsCall::Start(channel, articles, 500us + 250us * (number % 17), done);
        break;
      case 1:
        canceller.Add(CountsCall::Start(channel, articles, kCallMax, done), 100us * (number % 23));
        break;
      default:
        new Watch(channel, tally, number % 4 == 2, 1ms * (number % 29));
    }
  }
  int others = 0;
  for (const auto& [code, count] : tally.WaitForAll()) {
    std::cout << count << " calls ended with " << code << std::endl;
    const bool abandoned = code == grpc::StatusCode::CANCELLED || code == grpc::StatusCode::DEADLINE_EXCEEDED;
    // A call may be answered before it is abandoned, and the queue to Redis may be full.
    if (!abandoned && code != grpc::StatusCode::OK && code != grpc::StatusCode::UNAVAILABLE) others += count;
  }
  Leave(others == 0 ? 0 : 1);
}

}  // namespace
}  // namespace viewcount::clients

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: abandoned_calls ADDRESS CALLS\n";
    return 2;
  }
  viewcount::clients::Run(argv[1], std::stoi(argv[2]));
}
