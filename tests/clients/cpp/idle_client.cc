// A client that is idle while its server restarts. Like a synchronous client, it has one connection, and no thread that
// reads from it between calls.
//
//   idle_client ADDRESS
//
// For each line of standard input, makes calls with large answers and prints "idle". Then waits for another line, makes
// one call, and prints "ok" or the error.
#include <iostream>
#include <string>

#include "tests/clients/cpp/channel.h"

namespace viewcount::clients {
namespace {

constexpr int kLargeCalls = 3;
constexpr size_t kArticles = 500;
constexpr size_t kArticleBytes = 400;

grpc::Status Ask(Channel& channel, const Articles& articles) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallMax);
  v1::GetCountsResponse response;
  return channel.query().GetCounts(&context, Question(articles), &response);
}

int Run(const std::string& address) {
  Channel channel(address);
  const auto articles = MakeArticles("/idle", kArticles, kArticleBytes);
  std::string line;
  while (std::getline(std::cin, line)) {
    for (int call = 0; call < kLargeCalls; ++call) {
      const auto status = Ask(channel, articles);
      if (!status.ok()) std::cout << "before the restart: " << status.error_message() << "\n";
    }
    std::cout << "idle" << std::endl;
    if (!std::getline(std::cin, line)) break;
    const auto status = Ask(channel, {articles[0]});
    std::cout << (status.ok() ? "ok" : std::to_string(status.error_code()) + " " + status.error_message()) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace viewcount::clients

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: idle_client ADDRESS\n";
    return 2;
  }
  return viewcount::clients::Run(argv[1]);
}
