// viewcountd: parse, build, run.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <string>

#include "service/base/log.h"
#include "service/base/status.h"
#include "service/config/config.h"
#include "service/server/server.h"
#include "service/server/stop_signal.h"

int main(int argc, char** argv) {
  using namespace viewcount;
  ParsedConfig parsed = ParseConfig(argc, argv);
  if (!parsed.config) return parsed.exit_code;
  InitLogging(parsed.config->log_format, parsed.config->log_level);
  for (const std::string& warning : parsed.warnings) spdlog::warn("{}", warning);
  StopSignal stop;
  Server server(*std::move(parsed.config), stop);
  if (const absl::Status status = server.Start(); !status.ok() && !absl::IsCancelled(status)) {
    spdlog::critical("cannot start: {}", ToStd(status.message()));
    return ReasonOf(status) == "FENCED" ? kExitFenced : kExitFailed;
  }
  while (!stop.Wait(std::chrono::hours(1))) continue;
  return server.Stop();
}
