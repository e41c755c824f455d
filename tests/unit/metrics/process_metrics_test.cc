#include "service/metrics/process_metrics.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <latch>
#include <string>
#include <thread>

namespace viewcount {
namespace {

double ValueOf(const std::string& name) {
  for (const auto& family : ProcessMetrics().Collect()) {
    if (family.name != name) continue;
    const auto& metric = family.metric.at(0);
    return family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
  }
  ADD_FAILURE() << "no metric " << name;
  return 0;
}

TEST(ProcessMetrics, NameWithParenthesesAndBlanksIsSkipped) {
  const auto stat = ParseProcessStat(
      "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 11 22 0 0 20 0 5 0 3300 123456 42 18446744073709551615 1");
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->user_ticks, 11u);
  EXPECT_EQ(stat->system_ticks, 22u);
  EXPECT_EQ(stat->threads, 5u);
  EXPECT_EQ(stat->start_ticks, 3300u);
  EXPECT_EQ(stat->virtual_bytes, 123456u);
  EXPECT_EQ(stat->resident_pages, 42u);
}

TEST(ProcessMetrics, CutOffLineGivesNothing) {
  EXPECT_FALSE(ParseProcessStat("").has_value());
  EXPECT_FALSE(ParseProcessStat("7 (a) S 1 7 7 0").has_value());
  EXPECT_FALSE(ParseProcessStat("7 (a)").has_value());
}

TEST(ProcessMetrics, OpenFilesAreCounted) {
  const double before = ValueOf("process_open_fds");
  const int fd = dup(0);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(ValueOf("process_open_fds"), before + 1);
  close(fd);
  EXPECT_LE(before, ValueOf("process_max_fds"));
}

TEST(ProcessMetrics, ThreadsAreCounted) {
  const double before = ValueOf("process_threads");
  std::latch end(1);
  std::thread thread([&] { end.wait(); });
  EXPECT_EQ(ValueOf("process_threads"), before + 1);
  end.count_down();
  thread.join();
}

TEST(ProcessMetrics, StartIsInTheLastMinutes) {
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_NEAR(ValueOf("process_start_time_seconds"), now, 120);
  EXPECT_GT(ValueOf("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(ValueOf("process_virtual_memory_bytes"), ValueOf("process_resident_memory_bytes"));
}

TEST(ProcessMetrics, TimeSpentGrows) {
  const double before = ValueOf("process_cpu_seconds_total");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (ValueOf("process_cpu_seconds_total") <= before) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
}

}  // namespace
}  // namespace viewcount
