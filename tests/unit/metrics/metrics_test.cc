#include "service/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace viewcount {
namespace {

using testing::HasSubstr;
using testing::Not;

// Returns the types and the series without their values, sorted. Dashboards and alerts rely on them.
std::string ShapeOf(const std::string& serialized) {
  std::istringstream input(serialized);
  std::set<std::string> lines;
  for (std::string line; std::getline(input, line);) {
    if (line.starts_with("# HELP ")) continue;
    if (!line.starts_with("# ")) line.resize(line.rfind(' '));
    if (line.starts_with("viewcount_build_info")) line = std::regex_replace(line, std::regex("\"[^\"]*\""), "\"*\"");
    EXPECT_TRUE(lines.insert(line).second) << "twice: " << line;
  }
  std::string shape;
  for (const auto& line : lines) shape += line + "\n";
  return shape;
}

// A change here breaks dashboards and alerts of operators. Make it only on purpose, and change deploy/ with it.
TEST(Metrics, NamesTypesAndSeriesAreTheGoldenOnes) {
  std::ostringstream golden;
  golden << std::ifstream(GOLDEN_METRICS).rdbuf();
  const std::string actual_path = testing::TempDir() + "golden_metrics.actual.txt";
  const std::string shape = ShapeOf(Metrics().Serialize());
  std::ofstream(actual_path) << shape;
  EXPECT_EQ(shape, golden.str()) << "If the change is meant: cp " << actual_path << " " << GOLDEN_METRICS;
}

TEST(Metrics, PromtoolFindsNothingToSay) {
  const std::string path = testing::TempDir() + "promtool_input." + std::to_string(getpid()) + ".txt";
  std::ofstream(path) << Metrics().Serialize();
  FILE* promtool = popen(("promtool check metrics < '" + path + "' 2>&1").c_str(), "r");
  ASSERT_NE(promtool, nullptr);
  std::string output;
  for (int c; (c = fgetc(promtool)) != EOF;) output += static_cast<char>(c);
  EXPECT_EQ(pclose(promtool), 0) << "promtool is in the package prometheus\n" << output;
  EXPECT_EQ(output, "");
  std::remove(path.c_str());
}

TEST(Metrics, EverySeriesButBuildInfoStartsAtZero) {
  std::istringstream input(Metrics().Serialize());
  int series = 0;
  for (std::string line; std::getline(input, line);) {
    if (!line.starts_with("viewcount_")) continue;
    ++series;
    EXPECT_TRUE(line.ends_with(line.starts_with("viewcount_build_info{") ? " 1" : " 0")) << line;
  }
  EXPECT_GT(series, 40);
}

TEST(Metrics, LabelledCountersAreToldApart) {
  Metrics metrics;
  metrics.Rejected(RejectReason::kQueueFull).Increment(3);
  metrics.FlushFailed(FlushError::kReadOnly).Increment();
  metrics.FlushFailed(FlushError::kOther).Increment(2);
  const std::string text = metrics.Serialize();
  EXPECT_THAT(text, HasSubstr("viewcount_views_rejected_total{reason=\"queue_full\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("viewcount_views_rejected_total{reason=\"invalid\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("viewcount_flush_errors_total{kind=\"read_only\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("viewcount_flush_errors_total{kind=\"other\"} 2\n"));
}

TEST(Metrics, LargeCountsAreExact) {
  Metrics metrics;
  metrics.views_counted.Increment(1'234'567'890'123.0);
  EXPECT_THAT(metrics.Serialize(), HasSubstr("\nviewcount_views_counted_total 1234567890123\n"));
}

TEST(Metrics, SourcesAreAskedAtEachScrapeUntilCleared) {
  Metrics metrics;
  int asked = 0;
  metrics.SetSources({.pending_views = [] { return 11; },
                      .oldest_unflushed_age_seconds = [] { return 1.5; },
                      .queued_bytes = [] { return 12; },
                      .writers = [] { return 13; },
                      .chunk_bytes =
                          [&] {
                            ++asked;
                            return 14;
                          },
                      .journal_bytes = [] { return 15; },
                      .journal_budget_bytes = [] { return 16; }});
  const std::string text = metrics.Serialize();
  EXPECT_THAT(text, HasSubstr("\nviewcount_views_pending 11\n"));
  EXPECT_THAT(text, HasSubstr("\nviewcount_oldest_unflushed_view_age_seconds 1.5\n"));
  EXPECT_THAT(text, HasSubstr("\nviewcount_ingest_queue_bytes 12\n"));
  EXPECT_THAT(text, HasSubstr("\nviewcount_writers 13\n"));
  EXPECT_THAT(text, HasSubstr("\nviewcount_chunk_bytes 14\n"));
  EXPECT_THAT(text, HasSubstr("\nviewcount_journal_bytes 15\n"));
  EXPECT_THAT(text, HasSubstr("\nviewcount_journal_budget_bytes 16\n"));
  metrics.Serialize();
  EXPECT_EQ(asked, 2);
  metrics.ClearSources();
  EXPECT_THAT(metrics.Serialize(), HasSubstr("\nviewcount_views_pending 0\n"));
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace viewcount
