#include "service/config/settings.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "service/base/address.h"
#include "service/base/address_ranges.h"
#include "service/base/duration.h"
#include "service/base/forwarding_headers.h"
#include "service/base/limits.h"
#include "service/base/log.h"
#include "service/base/redis_address.h"
#include "service/base/redis_waivers.h"
#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount {
namespace {

using Values = std::vector<std::string>;
using std::chrono::milliseconds;

constexpr milliseconds kFlushIntervalMin{10};
constexpr milliseconds kFlushIntervalMax{60'000};

absl::Status Refuse(const std::string& allowed, const std::string& value) {
  return absl::InvalidArgumentError(fmt::format("{}, not \"{}\"", allowed, EscapeForText(value)));
}

absl::Status ApplyAddress(const Values& values, std::string& field) {
  const auto address = ParseHostPort(values[0]);
  if (!address.ok()) return Refuse(std::string(address.status().message()), values[0]);
  field = values[0];
  return absl::OkStatus();
}

absl::Status ApplyBackendAddress(const Values& values, Config& config) {
  if (values[0] != kNoListener) return ApplyAddress(values, config.backend_address);
  config.backend_address = values[0];
  return absl::OkStatus();
}

absl::Status ApplyGrpcAddress(const Values& values, Config& config) {
  const auto address = ParseListenAddress(values[0]);
  if (!address.ok()) return Refuse(std::string(address.status().message()), values[0]);
  config.grpc_address = values[0];
  return absl::OkStatus();
}

absl::Status ApplyDataDir(const Values& values, Config& config) {
  if (values[0].empty() || values[0].find('\0') != std::string::npos || EscapeForText(values[0]) != values[0]) {
    return Refuse("must be a path of UTF-8 without control characters", values[0]);
  }
  std::error_code error;
  config.data_dir = std::filesystem::absolute(values[0], error).lexically_normal().string();
  return error ? Refuse("must be a path", values[0]) : absl::OkStatus();
}

absl::Status ApplyRedis(const Values& values, Config& config) {
  if (values[0] != "embedded") {
    // The value is not in the error, because it may contain a password.
    const auto address = ParseRedisAddress(values[0]);
    if (!address.ok()) return address.status();
  }
  config.redis = values[0];
  return absl::OkStatus();
}

absl::Status ApplyRedisWaivers(const Values& values, Config& config) {
  const auto waivers = ParseRedisWaivers(values);
  if (!waivers.ok()) return absl::InvalidArgumentError(EscapeForText(std::string(waivers.status().message())));
  config.redis_waivers = *waivers;
  return absl::OkStatus();
}

absl::Status ApplyFlushInterval(const Values& values, Config& config) {
  const auto interval = ParseDuration(values[0]);
  if (!interval || *interval < kFlushIntervalMin || *interval > kFlushIntervalMax) {
    return Refuse("must be a whole number with its unit, from 10ms to 60s, such as 500ms, 1s or 1m", values[0]);
  }
  config.flush_interval = *interval;
  return absl::OkStatus();
}

absl::Status ApplyJournalBudget(const Values& values, Config& config) {
  const std::string& text = values[0];
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const std::string_view unit(stop, static_cast<size_t>(end - stop));
  const int shift = unit == "MiB" ? 20 : unit == "GiB" ? 30 : -1;
  constexpr uint64_t kMin = limits::kJournalBudgetBytesMin;
  constexpr uint64_t kMax = uint64_t{1} << 50;
  if (error != std::errc() || shift < 0 || number > kMax >> shift || (number << shift) < kMin) {
    return Refuse(fmt::format("must be a whole number with its unit, MiB or GiB, from {}MiB on", kMin >> 20), text);
  }
  config.journal_budget_bytes = number << shift;
  return absl::OkStatus();
}

absl::Status ApplyJournalRetention(const Values& values, Config& config) {
  const auto retention = ParseDuration(values[0]);
  if (!retention) return Refuse("must be a whole number with its unit (ms, s, m or h), such as 10m", values[0]);
  config.journal_retention = *retention;
  return absl::OkStatus();
}

absl::Status ApplyShutdownDelay(const Values& values, Config& config) {
  constexpr milliseconds kMax = std::chrono::minutes(5);
  const auto delay = ParseDuration(values[0]);
  if (!delay || *delay > kMax) {
    return Refuse("must be a whole number with its unit, from 0s to 5m, such as 500ms or 2s", values[0]);
  }
  config.shutdown_delay = *delay;
  return absl::OkStatus();
}

absl::Status ApplyNumber(const Values& values, uint32_t min, uint32_t max, uint32_t& setting) {
  const std::string& text = values[0];
  uint32_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size() || number < min || number > max) {
    return Refuse(fmt::format("must be a whole number from {} to {}", min, max), text);
  }
  setting = number;
  return absl::OkStatus();
}

absl::Status ApplyLanes(const Values& values, Config& config) {
  return ApplyNumber(values, 1, limits::kLanesMax, config.lanes);
}

absl::Status ApplyRate(const Values& values, uint32_t& rate) {
  return ApplyNumber(values, 0, limits::kFloodRateMax, rate);
}

absl::Status ApplySites(const Values& values, Config& config) {
  Values sites;
  for (const auto& site : values) {
    if (!IsSiteName(site)) {
      return Refuse(fmt::format("must be 1 to {} of a-z, A-Z, 0-9, '-', '_' and '.', beginning with a letter or digit",
                                limits::kSiteNameBytesMax),
                    site);
    }
    if (std::ranges::find(sites, site) == sites.end()) sites.push_back(site);
  }
  if (sites.size() > limits::kSitesMax) {
    return absl::InvalidArgumentError(
        fmt::format("names {} sites, at most {} are allowed", sites.size(), limits::kSitesMax));
  }
  config.sites = std::move(sites);
  return absl::OkStatus();
}

absl::Status ApplyRanges(const Values& values, std::vector<std::string>& field) {
  if (auto ranges = AddressRanges::Parse(values); !ranges.ok()) return ranges.status();
  field = values;
  return absl::OkStatus();
}

// Accepts host names as browsers send them, and stores them in lower case.
absl::Status ApplyAdminHosts(const Values& values, Config& config) {
  constexpr size_t kNameBytesMax = 253;
  Values names;
  for (const std::string& value : values) {
    const std::string name = absl::AsciiStrToLower(ToAbsl(value));
    const bool known = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") == std::string::npos;
    if (name.empty() || name.size() > kNameBytesMax || !known || name.front() == '.' || name.back() == '.') {
      return Refuse("must be a host name without a port, such as stats.example.org", value);
    }
    names.push_back(name);
  }
  config.admin_hosts = std::move(names);
  return absl::OkStatus();
}

// Any letters may be capitals, as in HTTP.
absl::Status ApplyClientAddressHeader(const Values& values, Config& config) {
  for (const std::string_view name : kForwardingHeaders) {
    if (!absl::EqualsIgnoreCase(ToAbsl(name), values[0])) continue;
    config.client_address_header = name;
    return absl::OkStatus();
  }
  return Refuse(fmt::format("must be one of {}", fmt::join(kForwardingHeaders, ", ")), values[0]);
}

absl::Status ApplyPath(const Values& values, std::string& field) {
  if (values[0].empty()) return Refuse("must be a path", values[0]);
  field = values[0];
  return absl::OkStatus();
}

absl::Status ApplyLogFormat(const Values& values, Config& config) {
  if (values[0] != "text" && values[0] != "json") return Refuse("must be text or json", values[0]);
  config.log_format = values[0] == "json" ? LogFormat::kJson : LogFormat::kText;
  return absl::OkStatus();
}

absl::Status ApplyLogLevel(const Values& values, Config& config) {
  if (!IsLogLevel(values[0])) return Refuse("must be trace, debug, info, warn or error", values[0]);
  config.log_level = values[0];
  return absl::OkStatus();
}

constexpr std::array kSettings = {
    Setting{"data-dir", "DIR",
            "Where the data lives: the journal, the embedded Redis and this instance's identity. Default: "
            "$XDG_STATE_HOME/viewcount "
            "or ~/.local/state/viewcount; /var/lib/viewcount for root; systemd's StateDirectory= where there is one.",
            false, ApplyDataDir},
    Setting{
        "grpc-address", "HOST:PORT or unix:PATH",
        "Where gRPC is served. Default: 127.0.0.1:7400. Port 0 lets the system choose. [::] and 0.0.0.0 mean all "
        "addresses of this machine, IPv4 and IPv6; a host name all of its addresses. It has no passwords: open it to "
        "a private network only.",
        false, ApplyGrpcAddress},
    Setting{"http-address", "HOST:PORT",
            "Where pages and their browsers are served: JSON over HTTP, count.js, pictures, live counts. Default: "
            "127.0.0.1:8080. Port 0 lets the system choose. This is the one to open to the public, or to put a web "
            "server before.",
            false, [](const Values& values, Config& config) { return ApplyAddress(values, config.http_address); }},
    Setting{
        "backend-address", "HOST:PORT",
        "Where the portal's own servers report views over HTTP, without TLS: with counts, times, viewers and batches "
        "up to 4 MiB, and in the name of their visitors. Default: 127.0.0.1:8081; none: nowhere. Open it to a "
        "private network only, and let no proxy of visitors forward to it.",
        false, ApplyBackendAddress},
    Setting{
        "tls-cert", "FILE",
        "Serve HTTPS instead of HTTP with this certificate: PEM, followed by the certificates that vouch for it. Needs "
        "--tls-key. Read again on SIGHUP, as after a renewal.",
        false, [](const Values& values, Config& config) { return ApplyPath(values, config.tls_cert); }, true},
    Setting{"tls-key", "FILE", "The key that belongs to --tls-cert: PEM.", false,
            [](const Values& values, Config& config) { return ApplyPath(values, config.tls_key); }, true},
    Setting{"trusted-backends", "RANGE",
            "Addresses of the portal's own servers, as 10.0.0.0/8 or ::1, that may send at --http-address what only "
            "--backend-address takes. Repeatable. Default: none. A proxy on one of them must set the header of "
            "--client-address-header, else its browsers are taken for backends.",
            true, [](const Values& values, Config& config) { return ApplyRanges(values, config.trusted_backends); },
            true},
    Setting{"trusted-proxies", "RANGE",
            "Addresses of web servers before this one, whose --client-address-header says who asks. Repeatable. "
            "Default: this machine.",
            true, [](const Values& values, Config& config) { return ApplyRanges(values, config.trusted_proxies); },
            true},
    Setting{"client-address-header", "NAME",
            "The header in which --trusted-proxies name their client: X-Forwarded-For (the default), X-Real-IP, "
            "CF-Connecting-IP, True-Client-IP or Forwarded. The others are ignored. The proxy must overwrite or extend "
            "the header that its client sent.",
            false, ApplyClientAddressHeader, true},
    Setting{"address-views-per-second", "NUMBER",
            "Views that browsers of one address may send, ten seconds' worth of it at once; more are refused, so that "
            "no client inflates a count. Default: 100; 0: no limit. Raise it if many readers share an address.",
            false,
            [](const Values& values, Config& config) { return ApplyRate(values, config.address_views_per_second); },
            true},
    Setting{"new-articles-per-minute", "NUMBER",
            "Articles never counted before that browsers may bring to a site, an hour's worth of it at once; more are "
            "refused, so that random IDs fill nothing. Backends and gRPC have no such limit. Default: 1000; 0: none.",
            false,
            [](const Values& values, Config& config) { return ApplyRate(values, config.new_articles_per_minute); },
            true},
    Setting{
        "alert-private-addresses", "RANGE",
        "Addresses that are not public, as 10.1.2.3 or 10.0.0.0/8, to which alerts may send messages, such as those of "
        "your own chat server. Repeatable. Default: none, so that an alert cannot reach into your network.",
        true, [](const Values& values, Config& config) { return ApplyRanges(values, config.alert_private_addresses); }},
    Setting{"demo-dir", "DIR", "Serve the files of this folder at /demo/, for trying out. Default: none.", false,
            [](const Values& values, Config& config) { return ApplyPath(values, config.demo_dir); }},
    Setting{"admin-address", "HOST:PORT",
            "Where the dashboard, /metrics, /healthz and /readyz are served. Default: 127.0.0.1:9464.", false,
            [](const Values& values, Config& config) { return ApplyAddress(values, config.admin_address); }},
    Setting{"admin-host", "NAME",
            "A host name under which browsers reach the dashboard, as behind a web server. Repeatable. Default: none. "
            "localhost and IP addresses are always known; other names are refused, since web pages of others could use "
            "them.",
            true, ApplyAdminHosts},
    Setting{
        "shutdown-delay", "TIME",
        "How long everything is still served after SIGTERM, while /readyz says 503 (units ms, s, m). Default: 0s. As "
        "long as a load balancer needs to notice; at most 5m.",
        false, ApplyShutdownDelay},
    Setting{"redis", "URL",
            "The store: embedded (a private redis-server under --data-dir), redis://[user:pass@]host:port/database or "
            "redis+unix:///path. Default: embedded. Give passwords by environment or file: flags can be seen by all "
            "users of the machine.",
            false, ApplyRedis},
    Setting{
        "redis-waive", "CHECK",
        "A check of Redis to do without. Repeatable. aof-rewrite: accept a Redis with an append-only file whose user "
        "may not run BGREWRITEAOF, as with some hosters; two crashes of it in a row may then count some views twice. "
        "persistence: do not warn that it keeps nothing on disk, or does not say so. Default: none.",
        true, ApplyRedisWaivers},
    Setting{"flush-interval", "TIME",
            "How often counts go to Redis: 10ms to 60s (units ms, s, m). Default: 1s. Longer: fewer writes to Redis, "
            "but other instances see this one's views later.",
            false, ApplyFlushInterval},
    Setting{"lanes", "NUMBER",
            "Lanes, 1 to 64. Default: 1. Each costs a thread and its own memory for views not yet flushed; more than "
            "there are cores to spare makes counting slower.",
            false, ApplyLanes},
    Setting{"journal-budget", "SIZE",
            "What the journal of each lane may take on disk, 64MiB or more (units MiB, GiB). Default: 8GiB. When it is "
            "full views are refused until Redis has taken some. More: Redis may be away for longer.",
            false, ApplyJournalBudget, true},
    Setting{
        "journal-retention", "TIME",
        "How long views stay in the journal after Redis has them (units ms, s, m, h, d). Default: 10m. A Redis that "
        "comes back with older data is repaired for as long; longer takes more disk, up to the budget.",
        false, ApplyJournalRetention, true},
    Setting{"site", "NAME", "A site to create at the start if it is absent. Repeatable.", true, ApplySites},
    Setting{"log-format", "FORMAT", "text or json, one line per message on standard error. Default: text.", false,
            ApplyLogFormat},
    Setting{"log-level", "LEVEL",
            "trace, debug, info, warn or error. Default: info. debug and trace write lines per request and cost speed.",
            false, ApplyLogLevel, true},
};

}  // namespace

std::span<const Setting> Settings() { return kSettings; }

std::string EnvironmentNameOf(std::string_view key) {
  std::string name = "VIEWCOUNT_";
  for (char c : key) name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

absl::Status CheckTogether(const Config& config) {
  const std::array<std::pair<const char*, const std::string*>, 4> addresses = {
      {{"grpc-address", &config.grpc_address},
       {"http-address", &config.http_address},
       {"backend-address", &config.backend_address},
       {"admin-address", &config.admin_address}}};
  for (size_t i = 0; i < addresses.size(); ++i) {
    for (size_t j = i + 1; j < addresses.size(); ++j) {
      const auto& [first, text] = addresses[i];
      if (*text != *addresses[j].second || text->ends_with(":0")) continue;
      return absl::InvalidArgumentError(
          fmt::format("{} and {} are both {}; each needs a port of its own", first, addresses[j].first, *text));
    }
  }
  if (config.tls_cert.empty() != config.tls_key.empty())
    return absl::InvalidArgumentError("tls-cert and tls-key go together; only one is given");
  return absl::OkStatus();
}

}  // namespace viewcount
