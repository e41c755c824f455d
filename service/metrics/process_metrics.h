// The process_… metrics that Prometheus' own clients export. They are read from /proc at scrape time.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace viewcount {

// The used fields of /proc/PID/stat, in the kernel's units.
struct ProcessStat {
  uint64_t user_ticks = 0;
  uint64_t system_ticks = 0;
  uint64_t threads = 0;
  uint64_t start_ticks = 0;  // Since boot.
  uint64_t virtual_bytes = 0;
  uint64_t resident_pages = 0;
};

// Parses one line of /proc/PID/stat. Returns nothing if a field is missing. The program's name in it may contain blanks
// and parentheses.
std::optional<ProcessStat> ParseProcessStat(std::string_view line);

// Thread-safe, because it has no mutable state. A metric that /proc does not provide is omitted.
class ProcessMetrics final : public prometheus::Collectable {
 public:
  ProcessMetrics();
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  // The time at which the machine booted, in seconds since 1970. 0 if unknown.
  double boot_time_seconds_;
};

}  // namespace viewcount
