// What viewcount_load is asked to do.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "viewcount/v1/ingest.pb.h"

namespace viewcount::bench {

enum class Workload { kBatches, kStreams, kCalls, kCounts, kPopular, kBeacons };

// Regular. Every number is within its limits once it comes from ParseOptions.
struct Options {
  Workload workload = Workload::kBatches;
  std::string target;
  // Requests a second; 0: as fast as `in_flight` allows.
  double rate = 0;
  size_t in_flight = 64;
  size_t connections = 1;
  double seconds = 10;
  double warmup_seconds = 1;
  std::string site = "demo";
  size_t articles = 100'000;
  bool uniform = false;
  uint64_t seed = 1;
  // Views that are encoded before the clock starts, and sent over and over.
  size_t pool_views = 4'000'000;
  size_t batch_views = 1'000;
  bool writers = false;
  v1::Durability durability = v1::DURABILITY_JOURNALED;
  size_t ids = 20;
  size_t popular = 1'000;
  std::string window = "all";
  std::string method = "POST";
  std::string path;
  // The address of Redis, and of the service's gRPC port; empty: the store is not looked at.
  std::string verify_store;
  std::string flush;
  pid_t server_pid = 0;
  bool json = false;

  bool HasViews() const { return workload != Workload::kCounts && workload != Workload::kPopular; }
  // Whether every slot is a writer with sequences of its own.
  bool HasWriters() const { return workload == Workload::kBatches || workload == Workload::kStreams || writers; }
};

const char* NameOf(Workload workload);

// Prints help or what is wrong; then the exit code is what `exit_code` gets, and nothing is returned.
std::optional<Options> ParseOptions(int argc, const char* const* argv, int& exit_code);

}  // namespace viewcount::bench
