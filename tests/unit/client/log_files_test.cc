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
  // The views of people and bots together, and those of bots alone.
  uint64_t views = 0;
  uint64_t bot_views = 0;
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
  static const BotPatterns bots;
  static const LogRules rules;
  Aggregate result;
  std::map<std::string, std::set<uint64_t>> viewers;
  auto source = ByteSource::Open(path);
  EXPECT_TRUE(source.ok()) << source.status();
  LineReader reader(std::move(*source));
  const auto parser = *AccessLogParser::Make({}, *reader.Head(), rules, bots, ViewerSalt());
  for (LogLine line; reader.Next(line).value();) {
    const auto parsed = line.too_long ? AccessLogLine() : parser->Parse(line.text);
    result.kinds.push_back(parsed.kind);
    if (!IsView(parsed.kind)) continue;
    const auto& article = parsed.article_id;
    ++result.views;
    if (parsed.kind == LineKind::kBotView) ++result.bot_views;
    ++result.articles[article].first;
    viewers[article].insert(parsed.viewer);
    ++result.days[{DayOf(parsed.event_time_unix_ms), article}];
  }
  for (const auto& [article, seen] : viewers) result.articles[article].second = seen.size();
  result.damage = reader.source().damage();
  return result;
}

// Returns the kind's name in expected.lines.tsv.
std::string KindName(LineKind kind) {
  if (IsView(kind)) return "page";
  if (kind == LineKind::kBlank) return "blank";
  return kind == LineKind::kBad ? "bad" : "other";
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
    EXPECT_EQ(read.bot_views, std::stoull(Rows(kMade + "expected.bots").at(0).at(0)));
    const auto rows = Rows(kMade + "expected.lines.tsv");
    ASSERT_EQ(read.kinds.size(), rows.size());
    for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(KindName(read.kinds[i]), rows[i].at(1)) << "line " << i + 1;
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
  EXPECT_EQ(read.views, 3'781u);
  EXPECT_EQ(read.articles.size(), 713u);
  EXPECT_EQ(read.kinds.size(), 10'000u);
  Compare(read, real + "apache_access.pages.tsv", real + "apache_access.pages.days.tsv");
}

}  // namespace
}  // namespace viewcount::cli
