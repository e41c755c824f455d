// The options of viewcount_load.
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

// A regular type. After ParseOptions every number is within its limits.
struct Options {
  Workload workload = Workload::kBatches;
  std::string target;
  // Requests per second. 0 means as fast as `in_flight` allows.
  double rate = 0;
  size_t in_flight = 64;
  size_t connections = 1;
  double seconds = 10;
  double warmup_seconds = 1;
  std::string site = "demo";
  size_t articles = 100'000;
  bool uniform = false;
  uint64_t seed = 1;
  // Views that are encoded before the clock starts and then sent repeatedly.
  size_t pool_views = 4'000'000;
  size_t batch_views = 1'000;
  bool writers = false;
  v1::Durability durability = v1::DURABILITY_JOURNALED;
  size_t ids = 20;
  size_t popular = 1'000;
  std::string window = "all";
  std::string method = "POST";
  std::string path;
  // The address of Redis, and the address of the service's gRPC port. If `verify_store` is empty, the store is not
  // checked.
  std::string verify_store;
  std::string flush;
  pid_t server_pid = 0;
  bool json = false;

  bool HasViews() const { return workload != Workload::kCounts && workload != Workload::kPopular; }
  // Returns true if every slot is a writer with its own sequences.
  bool HasWriters() const { return workload == Workload::kBatches || workload == Workload::kStreams || writers; }
};

const char* NameOf(Workload workload);

// Parses the command line. On --help or an error it prints a text, sets `exit_code` and returns nothing.
std::optional<Options> ParseOptions(int argc, const char* const* argv, int& exit_code);

}  // namespace viewcount::bench
