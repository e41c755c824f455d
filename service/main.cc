// The program viewcountd: reads the configuration and runs the service.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <string>

#include "service/base/log.h"
#include "service/base/status.h"
#include "service/config/config.h"
#include "service/server/server.h"
#include "service/server/stop_signal.h"

namespace viewcount {
namespace {

// Handles SIGHUP: reads the settings again, and makes the service apply those that can change while it runs.
void Reload(int argc, char** argv, ParsedConfig& running, Server& server) {
  auto update = ReloadConfig(argc, argv, running);
  if (!update.ok()) {
    spdlog::error("the settings stay as they were: {}", ToStd(update.status().message()));
    return;
  }
  server.Reload(*update->parsed.config);
  if (!update->at_next_start.empty()) {
    spdlog::warn("changed settings that take effect at the next start: {}", fmt::join(update->at_next_start, ", "));
  }
  spdlog::info("reloaded the certificate and these settings: {}",
               update->changed.empty() ? "none changed" : fmt::format("{}", fmt::join(update->changed, ", ")));
  running = std::move(update->parsed);
}

int Run(int argc, char** argv) {
  ParsedConfig parsed = ParseConfig(argc, argv);
  if (!parsed.config) return parsed.exit_code;
  InitLogging(parsed.config->log_format, parsed.config->log_level);
  for (const std::string& warning : parsed.warnings) spdlog::warn("{}", warning);
  StopSignal stop;
  Server server(*parsed.config, stop);
  if (const absl::Status status = server.Start(); !status.ok() && !absl::IsCancelled(status)) {
    spdlog::critical("cannot start: {}", ToStd(status.message()));
    return ReasonOf(status) == "FENCED" ? kExitFenced : kExitFailed;
  }
  do {
    if (stop.TakeReload()) Reload(argc, argv, parsed, server);
  } while (!stop.Wait(std::chrono::hours(1)));
  return server.Stop();
}

}  // namespace
}  // namespace viewcount

int main(int argc, char** argv) { return viewcount::Run(argc, argv); }
