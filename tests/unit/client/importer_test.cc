// Tests imports in which nothing fails. The tests check which lines count, and which lines a second import adds.
#include "client/cli/importer.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/client/import_fixture.h"

namespace viewcount::cli {
namespace {

using testing::Gzip;
using testing::TemporaryFile;

TEST_F(ImportTest, EveryLineIsASequenceWhateverItIs) {
  const TemporaryFile file(OtherLine() + PageLine("/a") + "\n" + "broken\n" + PageLine("/a") + PageLine("/b") +
                           OtherLine());
  const auto outcome = Import(file.path());
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.counts.lines, 7u);
  EXPECT_EQ(outcome.counts.views, 3u);
  EXPECT_EQ(outcome.counts.other_lines, 3u);
  EXPECT_EQ(outcome.counts.bad_lines, 1u);
  EXPECT_EQ(outcome.articles, 2u);
  EXPECT_EQ(service_.counts(), (std::map<std::string, uint64_t>{{"/a", 2}, {"/b", 1}}));
  EXPECT_EQ(ExpectSeamless(), 7u) << "lines at the end that are no views are covered too";
  ASSERT_EQ(outcome.bad_lines.size(), 1u);
  EXPECT_EQ(outcome.bad_lines[0].number, 4u);
}

TEST_F(ImportTest, ALogWithoutAnyPageViewIsRememberedToo) {
  const TemporaryFile file(OtherLine() + OtherLine());
  ASSERT_TRUE(Import(file.path()).status.ok());
  EXPECT_EQ(ExpectSeamless(), 2u);
  EXPECT_EQ(Import(file.path()).counts.imported_before_lines, 2u);
}

TEST_F(ImportTest, AnEmptyFileSendsNothing) {
  EXPECT_TRUE(Import(TemporaryFile("").path()).status.ok());
  EXPECT_TRUE(service_.attempts().empty());
}

TEST_F(ImportTest, ViewsCarryTimeAndViewer) {
  ASSERT_TRUE(Import(TemporaryFile(PageLine("/a")).path()).status.ok());
  const auto view = service_.counted()[0].views(0);
  EXPECT_EQ(view.event_time_unix_ms(), 1'431'857'103'000);
  EXPECT_NE(view.viewer(), 0u);
  EXPECT_FALSE(view.bot());
}

TEST_F(ImportTest, ASecondImportCountsNothing) {
  const TemporaryFile file(ManyPages(30'000));
  const auto first = Import(file.path());
  ASSERT_TRUE(first.status.ok()) << first.status;
  EXPECT_EQ(first.counts.views, 20'000u);
  EXPECT_GT(service_.counted().size(), 1u) << "several batches";
  EXPECT_EQ(ExpectSeamless(), 30'000u);
  const auto second = Import(file.path());
  ASSERT_TRUE(second.status.ok()) << second.status;
  EXPECT_EQ(second.counts.views, 0u);
  EXPECT_EQ(second.articles, 0u);
  EXPECT_EQ(second.counts.imported_before_lines, 30'000u);
  EXPECT_EQ(service_.total(), 20'000u);
}

TEST_F(ImportTest, AGrownFileCountsOnlyWhatIsNew) {
  const TemporaryFile file(ManyPages(10'000));
  ASSERT_TRUE(Import(file.path()).status.ok());
  for (int lines : {10'001, 10'002, 12'345, 40'000}) {
    file.Write(ManyPages(lines));
    const auto outcome = Import(file.path());
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(ExpectSeamless(), static_cast<uint64_t>(lines));
    EXPECT_EQ(outcome.counts.lines, static_cast<uint64_t>(lines));
  }
  EXPECT_EQ(service_.total(), 40'000u - 40'000u / 3);
}

TEST_F(ImportTest, TheSameLogCompressedIsTheSameLog) {
  const auto text = ManyPages(10'000);
  ASSERT_TRUE(Import(TemporaryFile(text).path()).status.ok());
  const auto zipped = Import(TemporaryFile(Gzip(text + PageLine("/new"))).path());
  ASSERT_TRUE(zipped.status.ok()) << zipped.status;
  EXPECT_EQ(zipped.counts.views, 1u);
  EXPECT_EQ(service_.counts().at("/new"), 1u);
}

TEST_F(ImportTest, AnotherSiteOrAnotherLogIsAnotherWriter) {
  const auto head = ManyPages(1'000).substr(0, kHeadBytes);
  EXPECT_EQ(ImportWriterId("portal", head), ImportWriterId("portal", head));
  EXPECT_EQ(ImportWriterId("portal", head).size(), 16u);
  EXPECT_NE(ImportWriterId("portal", head), ImportWriterId("other", head));
  EXPECT_NE(ImportWriterId("portal", head), ImportWriterId("portal", head.substr(1)));
  EXPECT_NE(ImportWriterId("portal", ""), ImportWriterId("portal", std::string(1, '\0')));
  // Services remember the writer ID permanently, so it must never change.
  const auto known = ImportWriterId("portal", "abc");
  std::string hex;
  for (unsigned char byte : known) hex += fmt::format("{:02x}", byte);
  EXPECT_EQ(hex, "81a91ef2a8dc563d73e0922567931b9d");
}

TEST_F(ImportTest, TheUnfinishedLastLineCountsOnceItIsWhole) {
  const auto lines = ManyPages(100);
  const auto last = PageLine("/last");
  const TemporaryFile file(lines + last.substr(0, 40));
  const auto first = Import(file.path());
  ASSERT_TRUE(first.status.ok());
  EXPECT_EQ(first.counts.bad_lines, 1u);
  ASSERT_EQ(first.bad_lines.size(), 1u);
  EXPECT_NE(first.bad_lines[0].problem.find("unfinished"), std::string::npos);
  EXPECT_EQ(ExpectSeamless(), 100u);
  file.Write(lines + last + PageLine("/after"));
  const auto second = Import(file.path());
  EXPECT_EQ(second.counts.views, 2u);
  EXPECT_EQ(service_.counts().at("/last"), 1u);
}

TEST_F(ImportTest, ALastLineThatOnlyLacksItsEndCounts) {
  const TemporaryFile file(PageLine("/a") + PageLine("/b").substr(0, PageLine("/b").size() - 1));
  const auto outcome = Import(file.path());
  EXPECT_EQ(outcome.counts.views, 2u);
  EXPECT_EQ(outcome.counts.bad_lines, 0u);
}

TEST_F(ImportTest, ACutCompressedLogCountsUpToTheCutAndTheRestLater) {
  const auto text = ManyPages(50'000);
  const auto whole = Gzip(text);
  const TemporaryFile file(whole.substr(0, whole.size() / 2));
  const auto first = Import(file.path());
  ASSERT_TRUE(first.status.ok()) << first.status;
  EXPECT_GT(first.counts.views, 1'000u);
  EXPECT_EQ(first.counts.bad_lines, 1u);
  ASSERT_EQ(first.bad_lines.size(), 1u);
  EXPECT_EQ(first.bad_lines[0].number, 0u);
  file.Write(whole);
  const auto second = Import(file.path());
  EXPECT_EQ(second.counts.bad_lines, 0u);
  EXPECT_EQ(first.counts.views + second.counts.views, 50'000u - 50'000u / 3);
  EXPECT_EQ(ExpectSeamless(), 50'000u);
}

TEST_F(ImportTest, TheMadeLogCountsEveryGoodLine) {
  const std::string folder = VIEWCOUNT_MADE_LOG_DIR "/";
  std::map<std::string, uint64_t> expected;
  uint64_t views = 0;
  std::ifstream file(folder + "expected.tsv");
  for (std::string article, fields; std::getline(file, article, '\t') && std::getline(file, fields);) {
    views += expected[article] = std::stoull(fields);
  }
  ASSERT_GT(views, 1'000u);
  for (const char* name : {"access.log.gz", "access.log"}) {
    const auto outcome = Import(folder + name);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(service_.counts(), expected);
  }
  EXPECT_EQ(service_.total(), views);
}

}  // namespace
}  // namespace viewcount::cli
