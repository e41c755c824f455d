// Eight writers record a million views while Redis is killed three times. No view is lost or counted twice, and no
// answer is ever below the acknowledged number.
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "client/cpp/writer.h"
#include "service/base/hash.h"
#include "tests/support/child_process.h"
#include "tests/support/eventually.h"
#include "tests/support/redis_process.h"
#include "tests/support/seed.h"
#include "viewcount/v1/admin.grpc.pb.h"
#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount {
namespace {

constexpr int kArticles = 100'000;
constexpr int kWriters = 8;
constexpr int kViewsPerWriter = 125'000;
constexpr int kViewsPerRound = 5'000;
constexpr int kKills = 3;
// Each writer begins a round at this interval. The load therefore lasts long enough to kill Redis three times.
constexpr std::chrono::milliseconds kRoundEvery{300};

std::string IdOf(int article) { return "/news/" + std::to_string(article); }

// Draws a number from 0 to kArticles - 1. Small numbers are more frequent: number n has a weight of about 1/(n + 1), as
// in Zipf's law.
int DrawArticle(std::mt19937_64& random) {
  const double exponent = std::uniform_real_distribution<double>(0, std::log(kArticles))(random);
  return static_cast<int>(std::exp(exponent)) - 1;
}

// Runs a service with two lanes and a Redis with a file that is synced on every write. Writers and a watcher run in
// threads.
class RedisOutageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    service_.Start({VIEWCOUNTD, "--data-dir", data_.path() + "/d", "--redis", redis_.url(), "--site", "demo",
                    "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--backend-address",
                    "127.0.0.1:0", "--admin-address", "127.0.0.1:0", "--flush-interval", "200ms", "--lanes", "2"},
                   log());
    ASSERT_TRUE(Eventually([&] { return !Address().empty(); }, std::chrono::seconds(30))) << Log();
    channel_ = grpc::CreateChannel(Address(), grpc::InsecureChannelCredentials());
    query_ = v1::QueryService::NewStub(channel_);
    admin_ = v1::AdminService::NewStub(channel_);
  }
  void TearDown() override { EXPECT_EQ(service_.Stop(SIGTERM, std::chrono::seconds(10)), 0) << Log(); }

  std::string log() const { return data_.path() + "/log"; }
  std::string Log() const {
    std::ifstream file(log());
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::string Address() const {
    std::ifstream file(data_.path() + "/d/addresses");
    std::string line;
    while (std::getline(file, line)) {
      if (line.starts_with("grpc=")) return line.substr(5);
    }
    return "";
  }

  // Records the writer's share in rounds. After each round, adds its views to `acknowledged_`.
  void Write(uint64_t seed) {
    std::mt19937_64 random(seed);
    client::WriterOptions options;
    options.site = "demo";
    options.channel = channel_;
    options.block_when_full = true;
    auto writer = client::Writer::Create(options);
    ASSERT_TRUE(writer.ok()) << writer.status();
    auto next_round = std::chrono::steady_clock::now();
    for (int sent = 0; sent < kViewsPerWriter; sent += kViewsPerRound) {
      std::this_thread::sleep_until(next_round);
      next_round += kRoundEvery;
      std::vector<int> round;
      for (int i = 0; i < kViewsPerRound; ++i) {
        round.push_back(DrawArticle(random));
        ASSERT_TRUE((*writer)->Record({.article_id = IdOf(round.back())}).ok());
      }
      const absl::Status flushed = (*writer)->Flush(std::chrono::seconds(60));
      ASSERT_TRUE(flushed.ok()) << flushed;
      for (const int article : round) acknowledged_[article].fetch_add(1, std::memory_order_relaxed);
      acknowledged_views_ += round.size();
    }
  }

  // Queries counts until the writers have ended. No count may be below the number that was acknowledged before the
  // call.
  void Watch(uint64_t seed) {
    std::mt19937_64 random(seed);
    for (bool popular_only = true; !writing_ended_; popular_only = !popular_only) {
      v1::GetCountsRequest request;
      request.set_site("demo");
      std::vector<uint64_t> least;
      // Every other query asks for the popular articles. The service has read these before, so it knows their counts
      // while Redis is away. The other queries ask for any articles.
      for (int i = 0; i < 100; ++i) {
        const int article = popular_only ? i : DrawArticle(random);
        request.add_article_ids(IdOf(article));
        least.push_back(acknowledged_[article].load(std::memory_order_relaxed));
      }
      v1::GetCountsResponse response;
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
      const grpc::Status status = query_->GetCounts(&context, request, &response);
      if (!popular_only && status.error_code() == grpc::StatusCode::UNAVAILABLE) {
        ++unavailable_answers_;
        continue;
      }
      ASSERT_TRUE(status.ok()) << status.error_message();
      for (int i = 0; i < response.counts_size(); ++i) {
        ASSERT_GE(response.counts(i).views(), least[i]) << request.article_ids(i) << " exact " << response.exact();
      }
      ++(response.exact() ? exact_answers_ : inexact_answers_);
    }
  }

  uint64_t CountOf(const std::vector<int>& articles, std::vector<uint64_t>& counts) {
    v1::GetCountsRequest request;
    request.set_site("demo");
    for (const int article : articles) request.add_article_ids(IdOf(article));
    v1::GetCountsResponse response;
    grpc::ClientContext context;
    const grpc::Status status = query_->GetCounts(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(response.exact());
    for (const auto& count : response.counts()) counts.push_back(count.views());
    return counts.size();
  }

  TemporaryDirectory data_;
  RedisProcess redis_{{"--appendonly", "yes", "--appendfsync", "always"}};
  ChildProcess service_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::QueryService::Stub> query_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
  std::vector<std::atomic<uint64_t>> acknowledged_ = std::vector<std::atomic<uint64_t>>(kArticles);
  std::atomic<uint64_t> acknowledged_views_{0};
  std::atomic<bool> writing_ended_{false};
  int exact_answers_ = 0;
  int inexact_answers_ = 0;
  int unavailable_answers_ = 0;
};

TEST_F(RedisOutageTest, EveryViewIsCountedOnceWhileRedisDiesThreeTimes) {
  const uint64_t seed = TestSeed();
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) writers.emplace_back([&, i] { Write(seed + i); });
  std::thread watcher([&] { Watch(seed - 1); });
  constexpr uint64_t kTotal = uint64_t{kWriters} * kViewsPerWriter;
  std::mt19937_64 random(seed - 2);
  for (int kill = 1; kill <= kKills; ++kill) {
    // The kills are spread over the duration of the load.
    EXPECT_TRUE(
        Eventually([&] { return acknowledged_views_ >= kTotal * kill / (kKills + 1); }, std::chrono::seconds(120)));
    redis_.Kill();
    const uint64_t before = acknowledged_views_;
    // The service must continue to accept views while Redis is away.
    EXPECT_TRUE(Eventually([&] { return acknowledged_views_ >= std::min(before + kTotal / 20, kTotal); },
                           std::chrono::seconds(60)));
    redis_.Start();
  }
  for (std::thread& writer : writers) writer.join();
  writing_ended_ = true;
  watcher.join();
  EXPECT_EQ(acknowledged_views_, kTotal);
  std::printf("answers while writing: %d exact, %d last known, %d unavailable\n", exact_answers_, inexact_answers_,
              unavailable_answers_);
  EXPECT_GT(exact_answers_, 0);
  EXPECT_GT(inexact_answers_, 0);

  v1::FlushResponse flushed;
  EXPECT_TRUE(Eventually([&] {
    grpc::ClientContext context;
    return admin_->Flush(&context, v1::FlushRequest(), &flushed).ok();
  }));
  int wrong_answers = 0;
  for (int first = 0; first < kArticles; first += 1000) {
    std::vector<int> articles;
    for (int i = first; i < first + 1000; ++i) articles.push_back(i);
    std::vector<uint64_t> counts;
    ASSERT_EQ(CountOf(articles, counts), articles.size());
    for (size_t i = 0; i < counts.size(); ++i) wrong_answers += counts[i] != acknowledged_[articles[i]];
  }
  EXPECT_EQ(wrong_answers, 0) << "in GetCounts";

  int wrong_in_redis = 0;
  uint64_t sum = 0;
  const uint64_t site_seed = Hash64("demo");
  for (int article = 0; article < kArticles; ++article) {
    char key[32];
    std::snprintf(key, sizeof(key), "vc:{%02d}:demo:all", ShardOf(ArticleHash(site_seed, IdOf(article))).value);
    const std::string stored = redis_.Command({"HGET", key, IdOf(article)});
    const uint64_t views = stored == "(nil)" ? 0 : std::stoull(stored);
    wrong_in_redis += views != acknowledged_[article];
    sum += views;
  }
  EXPECT_EQ(wrong_in_redis, 0) << "in Redis";
  EXPECT_EQ(sum, kTotal);
}

}  // namespace
}  // namespace viewcount
