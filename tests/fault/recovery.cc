// Measures the time and memory of a restart with a journal full of views that Redis has not received. Exit code 1 above
// the limits or on any wrong count. See --help.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <random>

#include "tests/fault/burst.h"
#include "tests/fault/comparison.h"
#include "tests/support/eventually.h"
#include "tests/support/redis_process.h"
#include "tests/support/service_process.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {
namespace {

using std::chrono::steady_clock;

struct Options {
  uint64_t views = 10'000'000;
  int articles = 100'000;
  int lanes = 1;
  double seconds_max = 3;
  uint64_t memory_mib_max = 512;
  uint64_t seed = 1;
};

constexpr int kViewsPerBatch = 10'000;
constexpr int kSampledArticles = 1'000;
constexpr std::chrono::seconds kAnswerWait{120};

double SecondsSince(steady_clock::time_point time) {
  return std::chrono::duration<double>(steady_clock::now() - time).count();
}

bool Fail(const std::string& what, const ServiceProcess& service) {
  std::printf("FAILED: %s\n--- viewcountd's log\n%s---\n", what.c_str(), service.Log().c_str());
  return false;
}

// Returns true if all sampled articles have their exact counts in the first answer, which must come within kAnswerWait.
bool AwaitSample(const ServiceProcess& service, const Truth& truth) {
  const auto channel = service.NewChannel();
  v1::GetCountsResponse response;
  const int count = std::min(kSampledArticles, truth.articles());
  if (!Eventually([&] { return GetCounts(channel, truth, 0, count, response).ok(); }, kAnswerWait)) return false;
  for (int i = 0; i < count; ++i) {
    if (response.counts(i).views() != truth.acknowledged(i)) return false;
  }
  return true;
}

// Sends all views while Redis is stopped, and kills the service.
bool Fill(const Options& options, ServiceProcess& service, RedisProcess& redis, Truth& truth) {
  service.Start();
  if (!service.WaitUntilReady()) return Fail("viewcountd does not answer", service);
  kill(redis.pid(), SIGSTOP);
  const auto began = steady_clock::now();
  const BurstOutcome burst = SendBurst({.server = service.server(),
                                        .batches = static_cast<int>(options.views / kViewsPerBatch),
                                        .at_once = 8,
                                        .views_per_batch = kViewsPerBatch,
                                        .seed = options.seed,
                                        .patience = std::chrono::minutes(5)},
                                       truth);
  std::printf("%llu views of %d articles acknowledged in %.1f s\n", static_cast<unsigned long long>(truth.total()),
              truth.articles(), SecondsSince(began));
  service.Kill();
  kill(redis.pid(), SIGCONT);
  return burst.unacknowledged == 0 || Fail("views were not acknowledged: " + burst.last_error, service);
}

bool Run(const Options& options) {
  const TemporaryDirectory folder;
  RedisProcess redis({"--appendonly", "yes"});
  ServiceProcess service({.data_dir = folder.path() + "/data",
                          .redis = redis.url(),
                          .flags = {"--lanes", std::to_string(options.lanes)},
                          .environment = {}});
  Truth truth(options.articles);
  if (!Fill(options, service, redis, truth)) return false;
  const auto began = steady_clock::now();
  service.Start();
  if (!service.WaitUntilReady(kAnswerWait)) return Fail("viewcountd does not answer after its restart", service);
  const double ready = SecondsSince(began);
  const bool sample = AwaitSample(service, truth);
  const double sampled = SecondsSince(began);
  const Difference all = CompareAnswers(service.NewChannel(), truth);
  const double complete = SecondsSince(began);
  const uint64_t recovery_memory = service.Memory("VmHWM");
  const bool flushed = FlushAll(service.NewChannel(), kAnswerWait);
  const double flush = SecondsSince(began);
  const uint64_t memory = service.Memory("VmHWM");
  std::printf(
      "after the start: gRPC answers %.2f s, %d sampled counts exact %.2f s, all counts %.2f s, all in Redis "
      "%.2f s; peak memory %llu MiB, until all counts %llu MiB\nall counts: %s\n",
      ready, kSampledArticles, sampled, complete, flush, static_cast<unsigned long long>(memory >> 20),
      static_cast<unsigned long long>(recovery_memory >> 20), all.ToString().c_str());
  if (!sample || !all.none()) return Fail("counts are wrong", service);
  if (!flushed || !SameEverywhere(service.NewChannel(), redis, truth)) return Fail("Redis differs", service);
  if (complete > options.seconds_max) return Fail("it took too long", service);
  if (memory >> 20 > options.memory_mib_max) return Fail("it took too much memory", service);
  return true;
}

}  // namespace
}  // namespace viewcount

int main(int argc, char** argv) {
  viewcount::Options options;
  options.seed = std::random_device{}();
  CLI::App app("Fills viewcountd's journal while Redis stands still, kills it, and measures its restart.");
  app.add_option("--views", options.views, "Views, in batches of 10,000")->capture_default_str();
  app.add_option("--articles", options.articles, "Different articles")->capture_default_str();
  app.add_option("--lanes", options.lanes, "Lanes of viewcountd")->capture_default_str();
  app.add_option("--seconds-max", options.seconds_max, "From the start to exact answers")->capture_default_str();
  app.add_option("--memory-max", options.memory_mib_max, "Peak memory of the service in MiB")->capture_default_str();
  app.add_option("--seed", options.seed, "Repeats a run's random choices; printed");
  CLI11_PARSE(app, argc, argv);
  std::printf("--seed %llu\n", static_cast<unsigned long long>(options.seed));
  std::fflush(stdout);
  const bool good = viewcount::Run(options);
  std::printf("%s, --seed %llu\n", good ? "passed" : "FAILED", static_cast<unsigned long long>(options.seed));
  return good ? 0 : 1;
}
