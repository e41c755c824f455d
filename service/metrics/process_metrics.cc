#include "service/metrics/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <string>

namespace viewcount {
namespace {

constexpr char kBootTime[] = "btime ";

std::string FirstLine(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

double BootTimeSeconds() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kBootTime)) return std::stod(line.substr(sizeof(kBootTime) - 1));
  }
  return 0;
}

std::optional<double> OpenFiles() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return std::nullopt;
  int entries = 0;
  while (readdir(directory) != nullptr) ++entries;
  closedir(directory);
  // Excludes ".", "..", and the descriptor that this listing itself uses.
  return entries - 3;
}

void Add(std::vector<prometheus::MetricFamily>& families, prometheus::MetricType type, const char* name,
         const char* help, double value) {
  prometheus::ClientMetric metric;
  (type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  families.push_back({name, help, type, {metric}});
}

}  // namespace

std::optional<ProcessStat> ParseProcessStat(std::string_view line) {
  // The name is the only field that may contain blanks, so the fields are counted from its end. The first field after
  // it is number 3.
  const size_t name_end = line.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  constexpr size_t kFirst = 3, kLast = 24;
  std::array<uint64_t, kLast + 1> fields{};
  size_t at = name_end + 1;
  for (size_t field = kFirst; field <= kLast; ++field) {
    at = line.find_first_not_of(' ', at);
    if (at == std::string_view::npos) return std::nullopt;
    // Some fields are a letter or negative, but none of the fields used here.
    std::from_chars(line.data() + at, line.data() + line.size(), fields[field]);
    at = line.find(' ', at);
    if (at == std::string_view::npos && field != kLast) return std::nullopt;
  }
  return ProcessStat{fields[14], fields[15], fields[20], fields[22], fields[23], fields[24]};
}

ProcessMetrics::ProcessMetrics() : boot_time_seconds_(BootTimeSeconds()) {}

std::vector<prometheus::MetricFamily> ProcessMetrics::Collect() const {
  using prometheus::MetricType;
  std::vector<prometheus::MetricFamily> families;
  if (const auto stat = ParseProcessStat(FirstLine("/proc/self/stat"))) {
    const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
    Add(families, MetricType::Counter, "process_cpu_seconds_total", "User and system time spent, in seconds.",
        static_cast<double>(stat->user_ticks + stat->system_ticks) / ticks_per_second);
    Add(families, MetricType::Gauge, "process_resident_memory_bytes", "Resident memory, in bytes.",
        static_cast<double>(stat->resident_pages) * static_cast<double>(sysconf(_SC_PAGESIZE)));
    Add(families, MetricType::Gauge, "process_virtual_memory_bytes", "Virtual memory, in bytes.",
        static_cast<double>(stat->virtual_bytes));
    Add(families, MetricType::Gauge, "process_threads", "Threads of this process.", static_cast<double>(stat->threads));
    if (boot_time_seconds_ > 0) {
      Add(families, MetricType::Gauge, "process_start_time_seconds", "Start of this process, as seconds since 1970.",
          boot_time_seconds_ + static_cast<double>(stat->start_ticks) / ticks_per_second);
    }
  }
  if (const auto open = OpenFiles()) {
    Add(families, MetricType::Gauge, "process_open_fds", "Open file descriptors.", *open);
  }
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    Add(families, MetricType::Gauge, "process_max_fds", "Most file descriptors that this process may open.",
        static_cast<double>(files.rlim_cur));
  }
  return families;
}

}  // namespace viewcount
