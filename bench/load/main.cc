// The program viewcount_load; see options.cc or --help.
#include <fmt/format.h>

#include <cstdio>

#include "bench/load/beacons.h"
#include "bench/load/grpc_load.h"
#include "bench/load/report.h"
#include "bench/load/store_sum.h"
#include "service/base/scheduling.h"

namespace viewcount::bench {
namespace {

// Returns a period that starts now.
Period PeriodOf(const Options& options) {
  const auto after = [](TimePoint time, double seconds) {
    return time + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  };
  const TimePoint start = Clock::now();
  const TimePoint measured_from = after(start, options.warmup_seconds);
  return {.start = start, .measured_from = measured_from, .end = after(measured_from, options.seconds)};
}

// The results of the load, and the number of doubtful views.
struct Outcome {
  Tally tally;
  uint64_t doubtful_views = 0;
};

absl::StatusOr<Outcome> RunGrpc(const Options& options) {
  const auto source = options.HasViews() ? MakeViewSource(options) : MakeQuestionSource(options);
  Channels channels(options.target, options.connections);
  if (auto status = channels.Connect(); !status.ok()) return status;
  const Period period = PeriodOf(options);
  Outcome outcome{.tally = Tally(period, options.server_pid)};
  RunGrpcLoad(options, period, channels, *source, outcome.tally);
  outcome.doubtful_views = source->doubtful_views();
  return outcome;
}

absl::StatusOr<Outcome> RunBeacons(const Options& options) {
  const auto client = BeaconClient::Create(options);
  if (!client.ok()) return client.status();
  if (auto status = (*client)->Connect(); !status.ok()) return status;
  const Period period = PeriodOf(options);
  Outcome outcome{.tally = Tally(period, options.server_pid)};
  (*client)->Run(period, outcome.tally);
  outcome.doubtful_views = (*client)->doubtful_views();
  return outcome;
}

absl::StatusOr<int64_t> FlushAndRead(const Options& options) {
  if (auto status = FlushService(options.flush); !status.ok()) return status;
  return ReadStoreSum(options.verify_store, options.site);
}

// Runs the load. Returns true if everything is correct.
absl::StatusOr<bool> Run(const Options& options) {
  int64_t before = 0;
  if (!options.verify_store.empty()) {
    const auto read = FlushAndRead(options);
    if (!read.ok()) return read.status();
    before = *read;
  }
  // In production the generator would not share a core with the store. Its own scheduling delays must not look like
  // delays of the server.
  if (options.rate > 0) AskForSlice(kLaneSlice);
  const auto outcome = options.workload == Workload::kBeacons ? RunBeacons(options) : RunGrpc(options);
  if (!outcome.ok()) return outcome.status();
  std::optional<StoreComparison> store;
  if (!options.verify_store.empty()) {
    const auto after = FlushAndRead(options);
    if (!after.ok()) return after.status();
    store = {.added = *after - before,
             .acknowledged = outcome->tally.acknowledged_views(),
             .doubtful = outcome->doubtful_views};
  }
  fmt::print("{}", Report(options, outcome->tally, store));
  if (!store || store->ok()) return true;
  fmt::print(stderr,
             "viewcount_load: the store got {} views, but {} were acknowledged and {} more may have been counted\n",
             store->added, store->acknowledged, store->doubtful);
  return false;
}

int Main(int argc, char** argv) {
  int exit_code = 0;
  const auto options = ParseOptions(argc, argv, exit_code);
  if (!options) return exit_code;
  const auto ok = Run(*options);
  if (!ok.ok()) {
    fmt::print(stderr, "viewcount_load: {}\n", std::string(ok.status().message()));
    return 1;
  }
  return *ok && std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace viewcount::bench

int main(int argc, char** argv) { return viewcount::bench::Main(argc, argv); }
