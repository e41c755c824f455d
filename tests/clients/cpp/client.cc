// The cases of ../README.md with gRPC's C++ client.
//
// Run by clients_test.py: cpp_client ADDRESS
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iomanip>
#include <iostream>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/clients/cpp/channel.h"

namespace viewcount::clients {
namespace {
using namespace std::chrono_literals;
using grpc::StatusCode;

// The sizes of the burst: the number of concurrent calls, with 20 KB each way, for articles that no call requested
// before. A call repeats its articles, so that all calls together fit into the queue to Redis.
constexpr int kBurstCalls = 200;
constexpr size_t kArticlesOfACall = 50;
constexpr size_t kDifferentArticles = 2;
constexpr size_t kArticleBytes = 400;
constexpr size_t kWatchedArticles = 1000;

void Expect(bool condition, const std::string& found) {
  if (!condition) throw std::runtime_error("unexpected: " + found);
}

std::string Text(const grpc::Status& status) {
  return std::to_string(status.error_code()) + " " + status.error_message();
}

void ExpectOk(const grpc::Status& status) { Expect(status.ok(), Text(status)); }

Articles ArticlesOf(const std::string& name, int round, int call) {
  const auto different = MakeArticles("/" + name + "/" + std::to_string(round) + "/" + std::to_string(call),
                                      kDifferentArticles, kArticleBytes);
  Articles articles;
  for (size_t number = 0; number < kArticlesOfACall; ++number)
    articles.push_back(different[number % kDifferentArticles]);
  return articles;
}

// One message with all of these is larger than every client's window.
Articles LongArticles() { return MakeArticles("/cpp-held", kWatchedArticles, kArticleBytes); }

// The context of a call, with a deadline.
struct Context : grpc::ClientContext {
  explicit Context(std::chrono::milliseconds timeout = kCallMax) {
    set_deadline(std::chrono::system_clock::now() + timeout);
  }
};

grpc::Status Record(Channel& channel, const Articles& articles, Context& context) {
  v1::RecordViewsResponse response;
  const auto status = channel.ingest().RecordViews(&context, Batch(articles), &response);
  if (status.ok()) Expect(response.accepted_views() == articles.size(), response.ShortDebugString());
  return status;
}

void Record(Channel& channel, const Articles& articles) {
  Context context;
  ExpectOk(Record(channel, articles, context));
}

grpc::Status GetCounts(Channel& channel, const Articles& articles, Context& context, std::vector<uint64_t>& views) {
  v1::GetCountsResponse response;
  const auto status = channel.query().GetCounts(&context, Question(articles), &response);
  views.clear();
  for (const auto& count : response.counts()) {
    Expect(count.article_id() == articles.at(views.size()), count.article_id());
    views.push_back(count.views());
  }
  return status;
}

void ExpectCounts(Channel& channel, const Articles& articles, const std::vector<uint64_t>& expected) {
  Context context;
  std::vector<uint64_t> views;
  ExpectOk(GetCounts(channel, articles, context, views));
  Expect(views == expected, "counts");
}

using Watch = grpc::ClientReader<v1::WatchCountsResponse>;

std::unique_ptr<Watch> StartWatch(Channel& channel, const Articles& articles, Context& context) {
  return channel.query().WatchCounts(&context, Watching(articles));
}

v1::WatchCountsResponse NextChange(Watch& watch) {
  v1::WatchCountsResponse message;
  do {
    if (!watch.Read(&message)) throw std::runtime_error("the stream ended: " + Text(watch.Finish()));
  } while (message.counts().empty());
  return message;
}

grpc::Status ReadToTheEnd(Watch& watch) {
  v1::WatchCountsResponse message;
  while (watch.Read(&message)) {
  }
  return watch.Finish();
}

// The codes that calls ended with. Thread-safe.
class Outcomes {
 public:
  void Add(StatusCode code) {
    const std::lock_guard lock(mutex_);
    ++codes_[code];
  }
  // Every code must be one of the allowed codes, and the last allowed code must have occurred.
  void Expect(const std::vector<StatusCode>& allowed) {
    const std::lock_guard lock(mutex_);
    std::ostringstream text;
    bool fits = codes_.contains(allowed.back());
    for (const auto& [code, calls] : codes_) {
      text << calls << " calls ended with " << code << "; ";
      fits = fits && std::find(allowed.begin(), allowed.end(), code) != allowed.end();
    }
    clients::Expect(fits, text.str());
  }

 private:
  std::mutex mutex_;
  std::map<StatusCode, int> codes_;
};

void Unary(Channel& channel) {
  Record(channel, {"/cpp/a", "/cpp/b", "/cpp/a"});
  ExpectCounts(channel, {"/cpp/a", "/cpp/none", "/cpp/b"}, {2, 0, 1});
}

void Stream(Channel& channel) {
  Context context;
  const auto call = channel.ingest().StreamViews(&context);
  v1::StreamViewsRequest request;
  request.set_site("demo");
  request.add_views()->set_article_id("/cpp/stream");
  std::jthread writer([&] {
    for (int sent = 0; sent < 100; ++sent) call->Write(request);
    call->WritesDone();
  });
  v1::StreamViewsResponse response;
  int answered = 0;
  while (call->Read(&response)) ++answered;
  writer.join();
  ExpectOk(call->Finish());
  Expect(answered == 100, std::to_string(answered));
  ExpectCounts(channel, {"/cpp/stream"}, {100});
}

void WatchChanges(Channel& channel) {
  Context context;
  const auto watch = StartWatch(channel, {"/cpp/watch", "/cpp/still"}, context);
  Expect(NextChange(*watch).counts_size() == 2, "first");
  Record(channel, {"/cpp/watch"});
  const auto changed = NextChange(*watch);
  Expect(changed.counts_size() == 1 && changed.counts(0).views() == 1, changed.ShortDebugString());
  context.TryCancel();
  Expect(ReadToTheEnd(*watch).error_code() == StatusCode::CANCELLED, "the end");
}

void Deadlines(Channel& channel) {
  for (int number = 0; number < 5; ++number) {
    Context context(50ms);
    const auto watch = StartWatch(channel, {"/cpp/watch"}, context);
    Expect(ReadToTheEnd(*watch).error_code() == StatusCode::DEADLINE_EXCEEDED, "a watch");
  }
  // A stream that the client leaves open.
  Context context(50ms);
  const auto stream = channel.ingest().StreamViews(&context);
  v1::StreamViewsResponse response;
  Expect(!stream->Read(&response) && stream->Finish().error_code() == StatusCode::DEADLINE_EXCEEDED, "a stream");
  Outcomes outcomes;
  std::latch ended(300);
  for (int number = 0; number < 300; ++number) {
    CountsCall::Start(channel, ArticlesOf("cpp-late", 0, number), 500us + 500us * (number % 9),
                      [&](const grpc::Status& status, const auto&) {
                        outcomes.Add(status.error_code());
                        ended.count_down();
                      });
  }
  ended.wait();
  outcomes.Expect({StatusCode::OK, StatusCode::DEADLINE_EXCEEDED});
}

void Cancellations(Channel& channel) {
  Outcomes outcomes;
  for (int round = 0; round < 5; ++round) {
    std::latch ended(60);
    std::vector<std::shared_ptr<CountsCall>> calls;
    for (int number = 0; number < 60; ++number) {
      calls.push_back(CountsCall::Start(channel, ArticlesOf("cpp-gone", round, number), kCallMax,
                                        [&](const grpc::Status& status, const auto&) {
                                          outcomes.Add(status.error_code());
                                          ended.count_down();
                                        }));
    }
    std::vector<std::unique_ptr<Context>> contexts;
    std::vector<std::unique_ptr<Watch>> watches;
    for (int number = 0; number < 20; ++number) {
      contexts.push_back(std::make_unique<Context>());
      watches.push_back(StartWatch(channel, {"/cpp/watch"}, *contexts.back()));
    }
    std::this_thread::sleep_for(1ms * round);
    for (const auto& call : calls) call->context.TryCancel();
    for (const auto& context : contexts) context->TryCancel();
    ended.wait();
    for (const auto& watch : watches) outcomes.Add(ReadToTheEnd(*watch).error_code());
  }
  outcomes.Expect({StatusCode::OK, StatusCode::CANCELLED});
  ExpectCounts(channel, {"/cpp/none"}, {0});
}

void Compression(Channel& channel) {
  const auto articles = MakeArticles("/cpp/compressed", 1000);
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    Context context;
    context.set_compression_algorithm(algorithm);
    ExpectOk(Record(channel, articles, context));
  }
  ExpectCounts(channel, articles, std::vector<uint64_t>(articles.size(), 2));
}

void Metadata(Channel& channel) {
  std::vector<uint64_t> views;
  Context large;
  for (int number = 0; number < 6; ++number) {
    large.AddMetadata("x-large-" + std::to_string(number), std::string(1000, 'v'));
  }
  ExpectOk(GetCounts(channel, {"/cpp/none"}, large, views));
  // A stream on the same connection must not be affected by the refused call.
  Context context;
  const auto watch = StartWatch(channel, {"/cpp/metadata"}, context);
  NextChange(*watch);
  for (const size_t size : {70'000, 200'000}) {
    Context huge;
    huge.AddMetadata("x-huge", std::string(size, 'v'));
    Expect(!GetCounts(channel, {"/cpp/none"}, huge, views).ok(), "the call was answered");
    Record(channel, {"/cpp/metadata"});
    NextChange(*watch);
  }
}

void Blanks(Channel& channel) {
  Context context;
  context.AddMetadata("x-blanks", " both ");
  context.AddMetadata("x-blank", " ");
  std::vector<uint64_t> views;
  ExpectOk(GetCounts(channel, {"/cpp/none"}, context, views));
}

template <typename Detail>
Detail DetailOf(const grpc::Status& error) {
  google::rpc::Status status;
  Expect(status.ParseFromString(error.error_details()), "the details' form");
  Detail found;
  for (const auto& any : status.details()) {
    if (any.UnpackTo(&found)) return found;
  }
  throw std::runtime_error("no detail " + std::string(found.GetTypeName()));
}

void Errors(Channel& channel) {
  Context context;
  auto error = Record(channel, {"/cpp/a", "/cpp/\n"}, context);
  Expect(error.error_code() == StatusCode::INVALID_ARGUMENT, Text(error));
  const auto request = DetailOf<google::rpc::BadRequest>(error);
  Expect(request.field_violations(0).field() == "views[1].article_id", request.ShortDebugString());
  auto question = Question({"/cpp/a"});
  question.set_site("nobody");
  v1::GetCountsResponse response;
  Context next;
  error = channel.query().GetCounts(&next, question, &response);
  Expect(error.error_code() == StatusCode::NOT_FOUND, Text(error));
  Expect(DetailOf<google::rpc::ErrorInfo>(error).reason() == "UNKNOWN_SITE", Text(error));
}

// Returns when calls that began before on the same channel are under way.
void CheckHealth(Channel& channel) {
  Context context;
  grpc::health::v1::HealthCheckResponse response;
  ExpectOk(channel.health().Check(&context, {}, &response));
  Expect(response.status() == grpc::health::v1::HealthCheckResponse::SERVING, response.ShortDebugString());
}

void Health(Channel& channel) {
  CheckHealth(channel);
  // Concurrent calls, because gRPC's own server answers this method.
  struct Check {
    Context context;
    grpc::health::v1::HealthCheckRequest request;
    grpc::health::v1::HealthCheckResponse response;
  };
  std::vector<Check> checks(500);
  Outcomes outcomes;
  std::latch ended(500);
  for (auto& check : checks) {
    channel.health().async()->Check(&check.context, &check.request, &check.response, [&](const grpc::Status& status) {
      outcomes.Add(status.error_code());
      ended.count_down();
    });
  }
  ended.wait();
  outcomes.Expect({StatusCode::OK});
}

void Reflection(Channel& channel) {
  Context context;
  const auto call = channel.reflection().ServerReflectionInfo(&context);
  grpc::reflection::v1alpha::ServerReflectionRequest request;
  request.set_list_services("");
  grpc::reflection::v1alpha::ServerReflectionResponse response;
  Expect(call->Write(request) && call->WritesDone() && call->Read(&response), "no answer");
  const std::string services = response.ShortDebugString();
  Expect(services.find("viewcount.v1.QueryService") != std::string::npos &&
             services.find("grpc.health.v1.Health") != std::string::npos,
         services);
  ExpectOk(call->Finish());
}

void Burst(Channel& channel) {
  const char* const given = std::getenv("BURST_ROUNDS");
  const int rounds = given == nullptr ? 20 : std::atoi(given);
  for (int round = 0; round < rounds; ++round) {
    Outcomes outcomes;
    std::latch ended(kBurstCalls);
    std::atomic<int> wrong = 0;
    for (int number = 0; number < kBurstCalls; ++number) {
      const auto articles = ArticlesOf("cpp", round, number);
      CountsCall::Start(channel, articles, kCallMax,
                        [&, articles](const grpc::Status& status, const v1::GetCountsResponse& response) {
                          if (response.counts_size() != static_cast<int>(articles.size()) ||
                              response.counts(0).article_id() != articles[0]) {
                            ++wrong;
                          }
                          outcomes.Add(status.error_code());
                          ended.count_down();
                        });
    }
    ended.wait();
    outcomes.Expect({StatusCode::OK});
    Expect(wrong == 0, std::to_string(wrong) + " wrong answers");
  }
}

// Streams on a separate connection that are never read.
class SlowReaders {
 public:
  explicit SlowReaders(const std::string& address) : channel_(address) {
    for (auto& context : contexts_) watches_.push_back(StartWatch(channel_, LongArticles(), context));
    CheckHealth(channel_);
  }
  void Cancel() {
    for (auto& context : contexts_) context.TryCancel();
    for (const auto& watch : watches_) ReadToTheEnd(*watch);
  }

 private:
  Channel channel_;
  std::vector<Context> contexts_{20};
  std::vector<std::unique_ptr<Watch>> watches_;
};

void SlowReadersDelayNobody(Channel& channel, const std::string& address) {
  SlowReaders slow(address);
  for (int round = 0; round < 3; ++round) {
    Record(channel, LongArticles());
    ExpectCounts(channel, {"/cpp/none"}, {0});
  }
  slow.Cancel();
}

void RetryInfo(Channel& channel) {
  // These are more different articles than all streams together may watch. Some other calls may find the queue to Redis
  // full.
  std::vector<Context> contexts(60);
  std::vector<std::unique_ptr<Watch>> watches;
  for (auto& context : contexts) {
    const auto articles = MakeArticles("/cpp/" + std::to_string(watches.size()), kWatchedArticles);
    watches.push_back(StartWatch(channel, articles, context));
  }
  Outcomes outcomes;
  grpc::Status refused;
  for (size_t number = 0; number < watches.size(); ++number) {
    v1::WatchCountsResponse message;
    if (watches[number]->Read(&message)) continue;
    const auto status = watches[number]->Finish();
    outcomes.Add(status.error_code());
    if (status.error_code() == StatusCode::RESOURCE_EXHAUSTED) refused = status;
    watches[number].reset();
  }
  for (auto& context : contexts) context.TryCancel();
  for (const auto& watch : watches) {
    if (watch != nullptr) ReadToTheEnd(*watch);
  }
  outcomes.Expect({StatusCode::UNAVAILABLE, StatusCode::RESOURCE_EXHAUSTED});
  const auto delay = DetailOf<google::rpc::RetryInfo>(refused).retry_delay();
  Expect(delay.seconds() > 0 || delay.nanos() > 0, delay.ShortDebugString());
}

// Runs a case, unless the variable CASES names others, and prints a line about it. Returns false if the case failed.
bool Passes(const std::string& name, const std::function<void()>& test) {
  const char* const only = std::getenv("CASES");
  if (only != nullptr && ("," + std::string(only) + ",").find("," + name + ",") == std::string::npos) return true;
  const auto began = std::chrono::steady_clock::now();
  std::string failure;
  try {
    test();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::cout << (failure.empty() ? "passed " : "FAILED ") << name << " in " << std::setprecision(2) << std::fixed
            << took.count() << " s " << failure << std::endl;
  return failure.empty();
}

[[noreturn]] void Run(const std::string& address) {
  Channel channel(address);
  const std::vector<std::pair<std::string, std::function<void(Channel&)>>> cases = {
      {"unary", Unary},
      {"stream", Stream},
      {"watch", WatchChanges},
      {"deadlines", Deadlines},
      {"cancellations", Cancellations},
      {"compression", Compression},
      {"metadata", Metadata},
      {"blanks", Blanks},
      {"errors", Errors},
      {"health", Health},
      {"reflection", Reflection},
      {"burst", Burst},
      {"slow_readers", [&](Channel& main) { SlowReadersDelayNobody(main, address); }},
      {"retry_info", RetryInfo},
  };
  bool passed = true;
  for (const auto& [name, test] : cases) passed &= Passes(name, [&run = test, &channel] { run(channel); });
  SlowReaders held(address);
  std::cout << "holding" << std::endl;
  while (std::cin.get() != std::char_traits<char>::eof()) {
  }
  held.Cancel();
  Leave(passed ? 0 : 1);
}

}  // namespace
}  // namespace viewcount::clients

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: cpp_client ADDRESS\n";
    return 2;
  }
  viewcount::clients::Run(argv[1]);
}
