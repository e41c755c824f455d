// Tests parser and reader on whole logs, against independently computed counts. The real log is used where it exists,
// the generated log always.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "client/cli/access_log.h"
#include "client/cli/line_reader.h"

namespace viewcount::cli {
namespace {

// Holds the counts that were read from a log, or the counts that are expected of it.
struct Aggregate {
  // Maps an article to its views and its viewers.
  std::map<std::string, std::pair<uint64_t, uint64_t>> articles;
  // Maps a day and an article to the views.
  std::map<std::pair<std::string, std::string>, uint64_t> days;
  std::vector<LineKind> kinds;
  uint64_t views = 0;
  std::string damage;
};

std::string DayOf(int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[16];
  std::strftime(text, sizeof(text), "%Y-%m-%d", &parts);
  return text;
}

Aggregate Read(const std::string& path) {
  Aggregate result;
  std::map<std::string, std::set<uint64_t>> viewers;
  auto source = ByteSource::Open(path);
  EXPECT_TRUE(source.ok()) << source.status();
  LineReader reader(std::move(*source));
  for (LogLine line; reader.Next(line).value();) {
    const auto parsed = line.too_long ? AccessLogLine() : ParseAccessLogLine(line.text, ViewerSalt());
    result.kinds.push_back(parsed.kind);
    if (parsed.kind != LineKind::kPageView) continue;
    const std::string article(parsed.article_id);
    ++result.views;
    ++result.articles[article].first;
    viewers[article].insert(parsed.viewer);
    ++result.days[{DayOf(parsed.event_time_unix_ms), article}];
  }
  for (const auto& [article, seen] : viewers) result.articles[article].second = seen.size();
  result.damage = reader.source().damage();
  return result;
}

// Returns the fields of a file's lines. A line that begins with `# ` is a comment.
std::vector<std::vector<std::string>> Rows(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("# ", 0) == 0) continue;
    std::istringstream fields(line);
    rows.emplace_back();
    for (std::string field; std::getline(fields, field, '\t');) rows.back().push_back(field);
  }
  return rows;
}

void Compare(const Aggregate& read, const std::string& articles, const std::string& days) {
  Aggregate expected;
  for (const auto& row : Rows(articles))
    expected.articles[row.at(0)] = {std::stoull(row.at(1)), std::stoull(row.at(2))};
  for (const auto& row : Rows(days)) expected.days[{row.at(0), row.at(1)}] = std::stoull(row.at(2));
  ASSERT_FALSE(expected.articles.empty());
  ASSERT_FALSE(expected.days.empty());
  EXPECT_EQ(read.articles, expected.articles);
  EXPECT_EQ(read.days, expected.days);
}

const std::string kMade = VIEWCOUNT_MADE_LOG_DIR "/";

// Returns the folder of the real log, or an empty string if the log does not exist.
std::string RealFolder() {
  const char* const folder = std::getenv("VIEWCOUNT_REAL_LOG_DIR");
  const std::string path = folder != nullptr ? folder : VIEWCOUNT_SOURCE_DIR "/../shared/data";
  return std::filesystem::exists(path + "/apache_access.log.gz") ? path + "/" : "";
}

TEST(LogFiles, TheMadeLogGivesWhatItWasMadeOf) {
  for (const char* name : {"access.log", "access.log.gz"}) {
    SCOPED_TRACE(name);
    const auto read = Read(kMade + name);
    EXPECT_EQ(read.damage, "");
    Compare(read, kMade + "expected.tsv", kMade + "expected.days.tsv");
    static const std::map<std::string, LineKind> kKinds = {{"page", LineKind::kPageView},
                                                           {"other", LineKind::kOther},
                                                           {"blank", LineKind::kBlank},
                                                           {"bad", LineKind::kBad}};
    const auto rows = Rows(kMade + "expected.lines.tsv");
    ASSERT_EQ(read.kinds.size(), rows.size());
    for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(read.kinds[i], kKinds.at(rows[i].at(1))) << "line " << i + 1;
  }
}

TEST(LogFiles, OfACutLogEverythingBeforeTheCutCounts) {
  const auto read = Read(kMade + "cut.log.gz");
  const auto expected = Rows(kMade + "expected.cut.tsv").at(0);
  EXPECT_EQ(read.kinds.size(), std::stoull(expected.at(0)));
  EXPECT_EQ(read.views, std::stoull(expected.at(1)));
  EXPECT_NE(read.damage, "");
}

TEST(LogFiles, TheRealLogOrElseTheMadeOneGivesTheExpectedCounts) {
  const std::string real = RealFolder();
  if (real.empty()) {
    std::cout << "no real log at VIEWCOUNT_REAL_LOG_DIR or ../shared/data: using the made one\n";
    Compare(Read(kMade + "access.log.gz"), kMade + "expected.tsv", kMade + "expected.days.tsv");
    return;
  }
  std::cout << "using the real log in " << real << "\n";
  const auto read = Read(real + "apache_access.log.gz");
  EXPECT_EQ(read.views, 3'617u);
  EXPECT_EQ(read.articles.size(), 705u);
  EXPECT_EQ(read.kinds.size(), 10'000u);
  Compare(read, real + "apache_access.expected.tsv", real + "apache_access.expected.days.tsv");
}

}  // namespace
}  // namespace viewcount::cli
