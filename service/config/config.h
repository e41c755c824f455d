// The validated settings of viewcountd. Flags override VIEWCOUNT_… environment variables, these override the --config
// file, and that overrides the defaults.
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/limits.h"
#include "service/base/log.h"
#include "service/base/redis_waivers.h"

namespace viewcount {

// The value of an address at which nothing is served.
inline constexpr std::string_view kNoListener = "none";

// A plain value. All components are built from it.
struct Config {
  // The absolute path of the directory with the lanes, the identity and the embedded Redis. Default: see
  // default_directory.h.
  std::string data_dir;
  // Addresses are host:port. Port 0 lets the system choose a port, which is logged and written to <data-dir>/addresses.
  std::string grpc_address = "127.0.0.1:7400";
  std::string http_address = "127.0.0.1:8080";
  // Where the portal's own servers use HTTP; kNoListener for nowhere.
  std::string backend_address = "127.0.0.1:8081";
  std::string admin_address = "127.0.0.1:9464";
  // Host names under which the admin address is known, in lower case, besides localhost and IP addresses.
  std::vector<std::string> admin_hosts;
  // PEM files. Both or none are set. With them, http_address serves HTTPS.
  std::string tls_cert;
  std::string tls_key;
  // In the format of AddressRanges::Parse.
  std::vector<std::string> trusted_backends;
  std::vector<std::string> trusted_proxies = {"127.0.0.0/8", "::1"};
  // One of kForwardingHeaders, in which the proxies name their clients.
  std::string client_address_header = "X-Forwarded-For";
  // The limits for views from one address that is not a trusted backend's, and for new articles of a site from all such
  // addresses. 0 means no limit.
  uint32_t address_views_per_second = limits::kAddressViewsPerSecond;
  uint32_t new_articles_per_minute = limits::kNewArticlesPerMinute;
  // The directory served at /demo/. Empty for none.
  std::string demo_dir;
  // The addresses that are not public and to which messages of alerts may be sent. In the format of
  // AddressRanges::Parse.
  std::vector<std::string> alert_private_addresses;
  // "embedded", redis://[user:pass@]host:port/db or redis+unix:///path.
  std::string redis = "embedded";
  RedisWaivers redis_waivers;
  // 10 ms to 1 minute. A longer interval means fewer writes to Redis, but other instances see this one's views later.
  std::chrono::milliseconds flush_interval{1'000};
  // 1 to limits::kLanesMax. Each lane has one thread.
  uint32_t lanes = 1;
  // The budget of each lane, from limits::kJournalBudgetBytesMin (four segments). With a larger one, the store may be
  // down for longer before views are refused.
  uint64_t journal_budget_bytes = limits::kJournalBudgetBytes;
  // The time that journaled views are kept after they reached the store. If the store returns with older data within
  // this time, it is repaired. A longer time takes more disk.
  std::chrono::milliseconds journal_retention = limits::kJournalRetention;
  // The time between a request to stop and the end of service, 0 to 5 minutes. It should be as long as a load balancer
  // needs to notice.
  std::chrono::milliseconds shutdown_delay{0};
  // Sites that are created at the start if they are absent.
  std::vector<std::string> sites;
  LogFormat log_format = LogFormat::kText;
  // One of trace, debug, info, warn and error.
  std::string log_level = "info";
};

// The result of a command line. It contains the settings to run with, or an exit code. In the latter case help,
// version, the checked settings or an error was printed.
struct ParsedConfig {
  std::optional<Config> config;
  int exit_code = 0;
  // Warnings about unknown environment variables. They must be logged after logging is set up according to the
  // settings.
  std::vector<std::string> warnings;
  // The texts of the settings by key, for ReloadConfig.
  std::map<std::string, std::vector<std::string>> texts;
};

// Reads flags, environment and file. Prints help, version and the output of --check-config itself. Prints errors to
// standard error, with the next step, and then returns exit code 2. Never throws. Must be called before threads are
// started, because it reads the environment.
ParsedConfig ParseConfig(int argc, const char* const* argv);

// The result of reading the settings again.
struct ConfigUpdate {
  // The settings to run with from now on, and to pass to the next ReloadConfig. They have the new values of settings
  // that a running service can apply, and the present values of all others.
  ParsedConfig parsed;
  // The keys whose values changed. Those in `changed` are applied, those in `at_next_start` need a restart.
  std::vector<std::string> changed;
  std::vector<std::string> at_next_start;
};

// Reads flags, environment and file again. Only the file can have changed since the start. If a setting is invalid,
// returns an error, and `running` stays in effect. Must be called on the main thread.
absl::StatusOr<ConfigUpdate> ReloadConfig(int argc, const char* const* argv, const ParsedConfig& running);

// Returns the settings as `key = value` lines in the format of a --config file. Passwords are masked.
std::string Describe(const Config& config);

}  // namespace viewcount
