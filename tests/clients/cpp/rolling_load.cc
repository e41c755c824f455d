// Generates load on servers that are restarted one after the other. It records views and queries counts, with several
// concurrent calls on each of several channels. The channels use the servers in turn.
//
//   rolling_load ADDRESS,ADDRESS
//
// Runs until standard input ends. Then prints how many views of the article /rolling/0/ were acknowledged, and how many
// calls succeeded. Also prints a line for each kind of failure: number, code, text.
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <deque>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/clients/cpp/channel.h"

namespace viewcount::clients {
namespace {

constexpr int kChannels = 4;
constexpr int kCallersPerChannel = 10;
constexpr size_t kArticles = 50;
constexpr size_t kArticleBytes = 400;

// The results of all calls. Thread-safe.
class Tally {
 public:
  void Add(const grpc::Status& status, uint64_t views) {
    const std::lock_guard lock(mutex_);
    if (status.ok()) {
      ++calls_;
      views_ += views;
    } else {
      ++failures_[{status.error_code(), status.error_message()}];
    }
  }
  void Print() const {
    const std::lock_guard lock(mutex_);
    std::cout << "views " << views_ << "\ncalls " << calls_ << "\n";
    for (const auto& [failure, calls] : failures_) {
      std::cout << "failed " << calls << " " << failure.first << " " << failure.second << "\n";
    }
    std::cout << std::flush;
  }

 private:
  mutable std::mutex mutex_;
  uint64_t calls_ = 0;
  uint64_t views_ = 0;
  std::map<std::pair<grpc::StatusCode, std::string>, int> failures_;
};

// Makes calls, one at a time, until `stop` is set.
void Call(Channel& channel, Tally& tally, const std::atomic<bool>& stop) {
  const auto view = Batch({"/rolling/0/"});
  const auto question = Question(MakeArticles("/rolling", kArticles, kArticleBytes));
  for (bool records = true; !stop; records = !records) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallMax);
    if (records) {
      v1::RecordViewsResponse response;
      const auto status = channel.ingest().RecordViews(&context, view, &response);
      tally.Add(status, response.accepted_views());
    } else {
      v1::GetCountsResponse response;
      tally.Add(channel.query().GetCounts(&context, question, &response), 0);
    }
  }
}

int Run(const std::string& addresses) {
  Tally tally;
  std::atomic<bool> stop = false;
  std::deque<Channel> channels;
  std::vector<std::jthread> callers;
  for (int number = 0; number < kChannels; ++number) {
    Channel& channel = channels.emplace_back("ipv4:" + addresses);
    for (int caller = 0; caller < kCallersPerChannel; ++caller) {
      callers.emplace_back([&] { Call(channel, tally, stop); });
    }
  }
  while (std::cin.get() != std::char_traits<char>::eof()) {
  }
  stop = true;
  callers.clear();
  tally.Print();
  return 0;
}

}  // namespace
}  // namespace viewcount::clients

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: rolling_load ADDRESS,ADDRESS\n";
    return 2;
  }
  return viewcount::clients::Run(argv[1]);
}
