// The process_… metrics that Prometheus' own clients export, read from /proc when asked.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace viewcount {

// What /proc/self/stat says of a process, in the kernel's units.
struct ProcessStat {
  uint64_t user_ticks = 0;
  uint64_t system_ticks = 0;
  uint64_t threads = 0;
  uint64_t start_ticks = 0;  // since boot
  uint64_t virtual_bytes = 0;
  uint64_t resident_pages = 0;
};

// Reads one line of /proc/PID/stat; nothing if a field is missing. The program's name in it may hold blanks and
// parentheses.
std::optional<ProcessStat> ParseProcessStat(std::string_view line);

// Thread safe: holds nothing that changes. A number that /proc does not give is left out of the answer.
class ProcessMetrics final : public prometheus::Collectable {
 public:
  ProcessMetrics();
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  // Seconds since 1970 at which the machine booted; 0 if unknown.
  double boot_time_seconds_;
};

}  // namespace viewcount
