// Measures the cost of many readers of live counts for the service, while all counts change every second. Exit code 1
// above the limits, or if a reader does not have the right counts at the end. See --help.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <thread>

#include "client/cpp/batch_sender.h"
#include "tests/fault/live_readers.h"
#include "tests/fault/truth.h"
#include "tests/support/eventually.h"
#include "tests/support/service_process.h"
#include "tests/support/temporary_directory.h"
#include "viewcount/v1/ingest.grpc.pb.h"

namespace viewcount {
namespace {

using std::chrono::steady_clock;

struct Options {
  int readers = 10'000;
  int articles = 1'000;
  int articles_each = 20;
  int seconds = 20;
  double cores_max = 0.25;
  uint64_t memory_mib_max = 200;
};

constexpr std::chrono::seconds kOpenWait{60};
constexpr std::chrono::seconds kLastCountsWait{10};
constexpr std::chrono::seconds kCallTimeout{10};

bool Fail(const std::string& what, const ServiceProcess& service) {
  std::printf("FAILED: %s\n--- viewcountd's log\n%s---\n", what.c_str(), service.Log().c_str());
  return false;
}

// Sends one view of every article.
bool ViewAll(v1::IngestService::Stub& stub, Truth& truth) {
  v1::RecordViewsRequest request;
  request.set_site("demo");
  for (int i = 0; i < truth.articles(); ++i) request.add_views()->set_article_id(truth.IdOf(i));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
  v1::RecordViewsResponse response;
  if (!stub.RecordViews(&context, request, &response).ok()) return false;
  for (int i = 0; i < truth.articles(); ++i) truth.Acknowledge(i);
  return true;
}

// Every reader uses one descriptor here and one in the service.
void TakeAllDescriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

struct Cost {
  double cores = 0;
  uint64_t bytes = 0;
};

// Changes all counts once a second, and measures the processor time, and the memory beyond `idle_bytes`.
bool Measure(const Options& options, const ServiceProcess& service, v1::IngestService::Stub& stub, uint64_t idle_bytes,
             Truth& truth, Cost& cost) {
  const auto began = steady_clock::now();
  const auto cpu = service.CpuTime();
  uint64_t peak = service.Memory("VmRSS");
  for (int second = 1; second <= options.seconds; ++second) {
    if (!ViewAll(stub, truth)) return false;
    std::this_thread::sleep_until(began + std::chrono::seconds(second));
    peak = std::max(peak, service.Memory("VmRSS"));
  }
  const std::chrono::duration<double> passed = steady_clock::now() - began;
  cost.cores = std::chrono::duration<double>(service.CpuTime() - cpu) / passed;
  cost.bytes = peak - std::min(peak, idle_bytes);
  return true;
}

bool Run(const Options& options) {
  const TemporaryDirectory folder;
  ServiceProcess service({.data_dir = folder.path() + "/data", .redis = "embedded", .flags = {}, .environment = {}});
  TakeAllDescriptors();
  service.Start();
  if (!service.WaitUntilReady()) return Fail("viewcountd does not answer", service);
  const auto stub = v1::IngestService::NewStub(client::MakeChannel(service.server()));
  Truth truth(options.articles);
  if (!ViewAll(*stub, truth)) return Fail("views were not acknowledged", service);
  const uint64_t idle_bytes = service.Memory("VmRSS");

  LiveReaders readers(
      {.server = service.Address("http"), .readers = options.readers, .articles_each = options.articles_each}, truth);
  const auto began = steady_clock::now();
  if (!readers.Open()) return Fail("a reader was refused", service);
  if (!Eventually([&] { return readers.told() == options.readers; }, kOpenWait))
    return Fail(std::to_string(options.readers - readers.told()) + " readers were told nothing", service);
  std::printf("%d readers of %d articles each, told all within %.1f s\n", options.readers, options.articles_each,
              std::chrono::duration<double>(steady_clock::now() - began).count());

  Cost cost;
  const uint64_t events = readers.events();
  const uint64_t bytes = readers.bytes();
  if (!Measure(options, service, *stub, idle_bytes, truth, cost)) return Fail("views were not acknowledged", service);
  std::printf(
      "%d of %d counts changed every second: %.0f events/s, %.1f MB/s, %.3f cores, %llu MiB more than without "
      "readers\n",
      options.articles, options.articles, static_cast<double>(readers.events() - events) / options.seconds,
      static_cast<double>(readers.bytes() - bytes) / options.seconds / 1e6, cost.cores,
      static_cast<unsigned long long>(cost.bytes >> 20));
  if (!Eventually([&] { return readers.Right() == options.readers; }, kLastCountsWait))
    return Fail(std::to_string(options.readers - readers.Right()) + " readers have wrong counts", service);
  if (readers.ended() > 0) return Fail(std::to_string(readers.ended()) + " readers were dropped", service);
  std::printf("all readers have the right counts\n");
  if (cost.cores > options.cores_max) return Fail("it took too much of a processor", service);
  if (cost.bytes >> 20 > options.memory_mib_max) return Fail("it took too much memory", service);
  return service.Stop() == 0 || Fail("it did not stop in order", service);
}

}  // namespace
}  // namespace viewcount

int main(int argc, char** argv) {
  viewcount::Options options;
  CLI::App app("Measures what readers of live counts cost viewcountd while every count changes each second.");
  app.add_option("--readers", options.readers, "Readers, all from this machine")->capture_default_str();
  app.add_option("--articles", options.articles, "Different articles, at most 10,000")->capture_default_str();
  app.add_option("--articles-each", options.articles_each, "Articles of one reader")->capture_default_str();
  app.add_option("--seconds", options.seconds, "How long to measure")->capture_default_str();
  app.add_option("--cores-max", options.cores_max, "Processors that viewcountd may use")->capture_default_str();
  app.add_option("--memory-max", options.memory_mib_max, "What it may grow by, in MiB")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const bool good = viewcount::Run(options);
  std::printf("%s\n", good ? "passed" : "FAILED");
  return good ? 0 : 1;
}
