#include "service/config/config.h"

#include <absl/status/status.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <utility>

#include "service/base/redis_address.h"
#include "service/base/status.h"
#include "service/base/version.h"
#include "service/config/default_directory.h"
#include "service/config/help.h"
#include "service/config/raw_settings.h"
#include "service/config/settings.h"

namespace viewcount {
namespace {

// The exit code that shells and init systems interpret as wrong usage.
constexpr int kUsageExitCode = 2;

absl::Status ApplyOne(const Setting& setting, const RawSetting& raw, Config& config) {
  if (raw.values.empty()) return absl::InvalidArgumentError(fmt::format("{}: needs a value", raw.source));
  // If a setting that is not repeatable is given twice, the last value counts. So a user's flags override the flags of
  // a script.
  const bool all = setting.repeatable || raw.values.size() == 1;
  auto status = setting.apply(all ? raw.values : std::vector<std::string>{raw.values.back()}, config);
  if (status.ok()) return status;
  return {status.code(), fmt::format("{}: {}", raw.source, ToStd(status.message()))};
}

// Takes each setting from the first of `sources` that has it. A setting that no source has keeps its default.
absl::StatusOr<Config> Combine(std::initializer_list<const RawSettings*> sources) {
  Config config;
  for (const auto& setting : Settings()) {
    for (const auto* source : sources) {
      const auto found = source->find(setting.key);
      if (found == source->end()) continue;
      if (auto status = ApplyOne(setting, found->second, config); !status.ok()) return status;
      break;
    }
  }
  if (config.data_dir.empty()) {
    auto directory = DefaultDataDirectory();
    if (!directory.ok()) return directory.status();
    config.data_dir = *std::move(directory);
  }
  if (auto status = CheckTogether(config); !status.ok()) return status;
  return config;
}

// Returns the texts of all settings that are in any of `sources`.
std::map<std::string, std::vector<std::string>> TextsOf(std::initializer_list<const RawSettings*> sources) {
  std::map<std::string, std::vector<std::string>> texts;
  for (const auto* source : sources) {
    // emplace keeps the values of an earlier source.
    for (const auto& [key, raw] : *source) texts.emplace(key, raw.values);
  }
  return texts;
}

absl::Status Load(const CommandLine& flags, ParsedConfig& parsed) {
  const RawSettings environment = ReadEnvironment(parsed.warnings);
  RawSettings file;
  const char* variable = std::getenv("VIEWCOUNT_CONFIG");
  const std::string path = !flags.config_file.empty() ? flags.config_file : variable != nullptr ? variable : "";
  if (!path.empty()) {
    auto read = ReadConfigFile(path);
    if (!read.ok()) return read.status();
    file = *std::move(read);
  }
  auto config = Combine({&flags.settings, &environment, &file});
  if (!config.ok()) return config.status();
  parsed.config = *std::move(config);
  parsed.texts = TextsOf({&flags.settings, &environment, &file});
  return absl::OkStatus();
}

// Prints `text`. fmt::print is not used, because it throws when the stream is closed.
void PrintTo(std::FILE* stream, const std::string& text) {
  // There is no way to report this error.
  if (std::fputs(text.c_str(), stream) < 0) std::clearerr(stream);
}

ParsedConfig Fail(const absl::Status& status) {
  PrintTo(stderr, fmt::format("viewcountd: {}\nSee: viewcountd --help\n", ToStd(status.message())));
  return {.config = std::nullopt, .exit_code = kUsageExitCode, .warnings = {}, .texts = {}};
}

ParsedConfig End(const std::string& output) {
  PrintTo(stdout, output);
  return {.config = std::nullopt, .exit_code = 0, .warnings = {}, .texts = {}};
}

}  // namespace

ParsedConfig ParseConfig(int argc, const char* const* argv) {
  const auto flags = ReadCommandLine(argc, argv);
  if (!flags.ok()) return Fail(flags.status());
  if (flags->action == CommandLine::Action::kHelp) return End(HelpText());
  if (flags->action == CommandLine::Action::kVersion) {
    return End(fmt::format("viewcountd {} ({}, {})\n", Version(), Revision(), Compiler()));
  }
  ParsedConfig parsed;
  if (auto status = Load(*flags, parsed); !status.ok()) return Fail(status);
  if (flags->action == CommandLine::Action::kCheckConfig) {
    for (const auto& warning : parsed.warnings) PrintTo(stderr, fmt::format("viewcountd: {}\n", warning));
    return End(Describe(*parsed.config));
  }
  return parsed;
}

absl::StatusOr<ConfigUpdate> ReloadConfig(int argc, const char* const* argv, const ParsedConfig& running) {
  const auto flags = ReadCommandLine(argc, argv);
  if (!flags.ok()) return flags.status();
  ParsedConfig fresh;
  if (auto status = Load(*flags, fresh); !status.ok()) return status;
  ConfigUpdate update;
  RawSettings effective;
  for (const auto& setting : Settings()) {
    const std::string key = setting.key;
    const auto now = running.texts.find(key);
    const auto then = fresh.texts.find(key);
    const bool changed = (now == running.texts.end()) != (then == fresh.texts.end()) ||
                         (now != running.texts.end() && now->second != then->second);
    if (changed) (setting.reloadable ? update.changed : update.at_next_start).push_back(key);
    const auto& texts = setting.reloadable ? fresh.texts : running.texts;
    if (const auto found = texts.find(key); found != texts.end()) effective[key] = {found->second, key};
  }
  auto config = Combine({&effective});
  if (!config.ok()) return config.status();
  update.parsed.config = *std::move(config);
  update.parsed.texts = TextsOf({&effective});
  return update;
}

std::string Describe(const Config& config) {
  // CLI11 supports two kinds of quotes and no escapes.
  const auto quoted = [](std::string_view text) {
    const char quote = text.find('"') == std::string_view::npos ? '"' : '\'';
    return fmt::format("{}{}{}", quote, text, quote);
  };
  std::string text;
  const auto line = [&](std::string_view key, std::string_view value) { text += fmt::format("{} = {}\n", key, value); };
  line("data-dir", quoted(config.data_dir));
  line("grpc-address", quoted(config.grpc_address));
  line("http-address", quoted(config.http_address));
  line("backend-address", quoted(config.backend_address));
  line("admin-address", quoted(config.admin_address));
  // An empty array would be read as one empty name.
  if (!config.admin_hosts.empty()) line("admin-host", fmt::format("[\"{}\"]", fmt::join(config.admin_hosts, "\", \"")));
  if (!config.tls_cert.empty()) line("tls-cert", quoted(config.tls_cert));
  if (!config.tls_key.empty()) line("tls-key", quoted(config.tls_key));
  // An empty array would be read as one empty name.
  if (!config.trusted_backends.empty())
    line("trusted-backends", fmt::format("[\"{}\"]", fmt::join(config.trusted_backends, "\", \"")));
  line("trusted-proxies", fmt::format("[\"{}\"]", fmt::join(config.trusted_proxies, "\", \"")));
  line("client-address-header", quoted(config.client_address_header));
  line("address-views-per-second", std::to_string(config.address_views_per_second));
  line("new-articles-per-minute", std::to_string(config.new_articles_per_minute));
  if (!config.alert_private_addresses.empty())
    line("alert-private-addresses", fmt::format("[\"{}\"]", fmt::join(config.alert_private_addresses, "\", \"")));
  if (!config.demo_dir.empty()) line("demo-dir", quoted(config.demo_dir));
  line("redis", quoted(WithoutPassword(config.redis)));
  // An empty array would be read as one empty name.
  if (const auto waived = NamesOf(config.redis_waivers); !waived.empty())
    line("redis-waive", fmt::format("[\"{}\"]", fmt::join(waived, "\", \"")));
  line("flush-interval", fmt::format("\"{}ms\"", config.flush_interval.count()));
  line("journal-budget", fmt::format("\"{}MiB\"", config.journal_budget_bytes >> 20));
  line("journal-retention", fmt::format("\"{}ms\"", config.journal_retention.count()));
  line("shutdown-delay", fmt::format("\"{}ms\"", config.shutdown_delay.count()));
  line("lanes", fmt::format("{}", config.lanes));
  // An empty array would be read as one empty name.
  if (!config.sites.empty()) line("site", fmt::format("[\"{}\"]", fmt::join(config.sites, "\", \"")));
  line("log-format", config.log_format == LogFormat::kJson ? "\"json\"" : "\"text\"");
  line("log-level", quoted(config.log_level));
  return text;
}

}  // namespace viewcount
