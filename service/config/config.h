// The settings of viewcountd, validated. Flags over VIEWCOUNT_… environment over --config file over defaults.
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "service/base/limits.h"
#include "service/base/log.h"
#include "service/base/redis_waivers.h"

namespace viewcount {

// A plain value; what every room is built from.
struct Config {
  // Where lanes, identity and the embedded Redis live; absolute. Default: see default_directory.h.
  std::string data_dir;
  // host:port; port 0 lets the system choose (the choice is logged and written to <data-dir>/addresses).
  std::string grpc_address = "127.0.0.1:7400";
  std::string http_address = "127.0.0.1:8080";
  std::string admin_address = "127.0.0.1:9464";
  // PEM files; both or none. With them http_address speaks HTTPS.
  std::string tls_cert;
  std::string tls_key;
  // As AddressRanges::Parse reads them.
  std::vector<std::string> trusted_backends = {"127.0.0.0/8", "::1"};
  std::vector<std::string> trusted_proxies = {"127.0.0.0/8", "::1"};
  // From one address that is no trusted backend's, and new ones of a site from all such; 0: as many as come.
  uint32_t address_views_per_second = limits::kAddressViewsPerSecond;
  uint32_t new_articles_per_minute = limits::kNewArticlesPerMinute;
  // Served at /demo/; empty for none.
  std::string demo_dir;
  // "embedded", redis://[user:pass@]host:port/db or redis+unix:///path.
  std::string redis = "embedded";
  RedisWaivers redis_waivers;
  // 10 ms to 1 minute. Longer: fewer writes to Redis; other instances see this one's views later.
  std::chrono::milliseconds flush_interval{1'000};
  // 1 to limits::kLanesMax; each is one thread.
  uint32_t lanes = 1;
  // Of each lane; from 4 segments on. More: the store may be away for longer before views are refused.
  uint64_t journal_budget_bytes = limits::kJournalBudgetBytes;
  // How long journaled views are kept after they reached the store. Longer: a store that comes back with older data is
  // repaired for as long, at the cost of disk.
  std::chrono::milliseconds journal_retention = limits::kJournalRetention;
  // Between a request to stop and the end of service; 0 to 5 minutes. As long as a load balancer needs to notice.
  std::chrono::milliseconds shutdown_delay{0};
  // Created at start if absent.
  std::vector<std::string> sites;
  LogFormat log_format = LogFormat::kText;
  // trace, debug, info, warn or error.
  std::string log_level = "info";
};

// What a command line leads to: settings to run with, or an exit code after help, version, the checked settings or an
// error was printed.
struct ParsedConfig {
  std::optional<Config> config;
  int exit_code = 0;
  // To be logged once logging is set up as the settings say: environment variables that mean nothing.
  std::vector<std::string> warnings;
  // The settings as text, by key, for ReloadConfig.
  std::map<std::string, std::vector<std::string>> texts;
};

// Reads flags, environment and file. Prints help, version and what --check-config asks for itself, and errors to
// standard error, with the next step; exit code 2 then. Never throws. Call before threads are started, since it reads
// the environment.
ParsedConfig ParseConfig(int argc, const char* const* argv);

// What a second reading of the settings found.
struct ConfigUpdate {
  // What to run with from now on, and to give to the next ReloadConfig: the new values of settings that a running
  // service can take over, and the present values of all others.
  ParsedConfig parsed;
  // Keys whose values changed: taken over, and those that need a restart.
  std::vector<std::string> changed;
  std::vector<std::string> at_next_start;
};

// Reads flags, environment and file again, where only the file can differ from what it was at the start. The error of
// a setting that is wrong leaves everything as it is. Main thread.
absl::StatusOr<ConfigUpdate> ReloadConfig(int argc, const char* const* argv, const ParsedConfig& running);

// The settings as `key = value` lines that a --config file takes; passwords masked.
std::string Describe(const Config& config);

}  // namespace viewcount
