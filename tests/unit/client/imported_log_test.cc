// Tests imports in which nothing fails. The tests check which lines count, and which lines a second import adds.
#include "client/cli/imported_log.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/client/import_fixture.h"

namespace viewcount::cli {
namespace {

using testing::Fault;
using testing::Gzip;
using testing::TemporaryFile;

TEST_F(ImportTest, EveryLineIsASequenceWhateverItIs) {
  const TemporaryFile file(OtherLine() + PageLine("/a") + "\n" + "broken\n" + PageLine("/a") + PageLine("/b") +
                           OtherLine());
  const auto outcome = Import(file.path());
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.counts.lines, 7u);
  EXPECT_EQ(outcome.counts.views, 3u);
  EXPECT_EQ(outcome.counts.no_page_lines, 2u);
  EXPECT_EQ(outcome.counts.blank_lines, 1u);
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
  const auto view = LineBatches()[0].views(0);
  EXPECT_EQ(view.event_time_unix_ms(), 1'431'857'103'000);
  EXPECT_NE(view.viewer(), 0u);
  EXPECT_FALSE(view.bot());
}

TEST_F(ImportTest, ASecondImportCountsNothing) {
  const TemporaryFile file(ManyPages(30'000));
  const auto first = Import(file.path());
  ASSERT_TRUE(first.status.ok()) << first.status;
  EXPECT_EQ(first.counts.views, 20'000u);
  EXPECT_GT(LineBatches().size(), 1u) << "several batches";
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

// Identity of logs.

TEST_F(ImportTest, LogsThatBeginWithTheSameLinesAreDifferentLogs) {
  for (const int common : {1, 2, 60, 100, 2'000}) {
    SCOPED_TRACE(common);
    for (const bool longer_first : {false, true}) {
      const auto site = fmt::format("site{}-{}", common, longer_first);
      service_.ResetCounts();
      const auto beginning = ManyPages(common);
      const TemporaryFile one(beginning + std::string(PageLine("/one")) + ManyPages(common / 2 + 8));
      const TemporaryFile two(beginning + std::string(PageLine("/two")) + ManyPages(common / 2 + 19));
      const auto first = Import(longer_first ? two.path() : one.path(), site);
      EXPECT_TRUE(first.warnings.empty());
      const auto second = Import(longer_first ? one.path() : two.path(), site);
      EXPECT_EQ(second.counts.imported_before_lines, 0u);
      ASSERT_EQ(second.warnings.size(), 1u);
      EXPECT_NE(second.warnings[0].find("another log"), std::string::npos);
      EXPECT_EQ(service_.counts().at("/one"), 1u);
      EXPECT_EQ(service_.counts().at("/two"), 1u);
      const auto total = service_.total();
      EXPECT_EQ(Import(one.path(), site).counts.views + Import(two.path(), site).counts.views, 0u);
      EXPECT_EQ(service_.total(), total);
    }
  }
}

TEST_F(ImportTest, AShortLogThatGrowsIsTheSameLog) {
  const TemporaryFile file("");
  for (int lines = 1; lines < 60; ++lines) {
    file.Write(ManyPages(lines));
    const auto outcome = Import(file.path());
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    ASSERT_EQ(outcome.counts.imported_before_lines, static_cast<uint64_t>(lines - 1));
  }
  EXPECT_EQ(ExpectSeamless(), 59u);
}

TEST_F(ImportTest, AnOlderCopyOfALogCountsNothing) {
  ASSERT_TRUE(Import(TemporaryFile(ManyPages(3'000)).path()).status.ok());
  const auto total = service_.total();
  for (const int lines : {1, 5, 9, 31, 64, 100, 1'000, 1'023, 1'500, 2'999}) {
    const auto outcome = Import(TemporaryFile(ManyPages(lines)).path());
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(outcome.counts.imported_before_lines, static_cast<uint64_t>(lines));
  }
  EXPECT_EQ(service_.total(), total);
}

TEST_F(ImportTest, ALogWithAChangedLineIsAnotherLog) {
  ASSERT_TRUE(Import(TemporaryFile(ManyPages(100)).path()).status.ok());
  const auto outcome = Import(TemporaryFile(ManyPages(50) + PageLine("/changed") + ManyPages(49, 51)).path());
  EXPECT_EQ(outcome.counts.imported_before_lines, 0u);
  EXPECT_EQ(outcome.warnings.size(), 1u);
}

TEST_F(ImportTest, CommentsDoNotIdentifyALog) {
  const std::string head = "#Version: 1.0\n#Fields: x\n\n";
  ASSERT_TRUE(Import(TemporaryFile(head + PageLine("/a")).path()).status.ok());
  EXPECT_EQ(Import(TemporaryFile(head + PageLine("/b")).path()).counts.views, 1u);
  EXPECT_TRUE(service_.total() == 2u);
  const auto comments = Import(TemporaryFile(head).path());
  EXPECT_EQ(comments.counts.blank_lines, 3u);
  EXPECT_EQ(service_.total(), 2u);
}

TEST_F(ImportTest, AnUnfinishedLineThatCountedDoesNotCountAgainWhenItEnds) {
  const auto lines = ManyPages(10);
  const auto last = PageLine("/last");
  const TemporaryFile file(lines + last.substr(0, last.size() - 1));
  ASSERT_TRUE(Import(file.path()).status.ok());
  EXPECT_EQ(Import(file.path()).counts.imported_before_lines, 11u) << "nothing changed";
  file.Write(lines + last.substr(0, last.size() - 1) + " \"more\"\n" + PageLine("/after"));
  const auto second = Import(file.path());
  EXPECT_EQ(second.counts.imported_before_lines, 11u);
  EXPECT_EQ(second.counts.views, 1u);
  EXPECT_EQ(service_.counts().at("/last"), 1u);
}

TEST_F(ImportTest, WhatAnEarlierVersionImportedIsRecognised) {
  const auto text = ManyPages(3'000);
  for (const int lines : {20, 2'000}) {
    const auto site = fmt::format("site{}", lines);
    // An earlier version had imported the beginning of the log. 20 lines are less than 4 KiB, by which it knew logs.
    std::string beginning = ManyPages(lines).substr(0, kOldHeadBytes);
    v1::RecordViewsRequest old;
    old.set_site(site);
    old.set_writer_id(OldWriterId(site, beginning));
    old.set_sequence(1);
    old.set_sequence_span(static_cast<uint32_t>(lines));
    client::BatchSender sender(service_.channel(), send_options_);
    ASSERT_TRUE(sender.Send(old.SerializeAsString()).status.ok());
    service_.ResetCounts();
    // The import is ended in the middle of the lines that are known already.
    if (lines == 2'000) {
      ScriptBatches({{}, {Fault::Kind::kRefuse, {grpc::StatusCode::PERMISSION_DENIED, "killed"}, 0}});
      EXPECT_FALSE(Import(TemporaryFile(text).path(), site).status.ok());
      service_.Decide({});
    }
    const auto outcome = Import(TemporaryFile(text).path(), site);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(outcome.counts.imported_before_lines, static_cast<uint64_t>(lines));
    EXPECT_EQ(service_.total(), 2'000u - static_cast<uint64_t>(lines - lines / 3));
    EXPECT_EQ(Import(TemporaryFile(text).path(), site).counts.views, 0u);
  }
}

// A service remembers these IDs and sequences permanently, so they must never change.
TEST(LogIdentity, IdsAndSequencesNeverChange) {
  const auto hex = [](const std::string& id) {
    std::string text;
    for (unsigned char byte : id) text += fmt::format("{:02x}", byte);
    return text;
  };
  EXPECT_EQ(hex(OldWriterId("portal", "abc")), "81a91ef2a8dc563d73e0922567931b9d");
  EXPECT_EQ(hex(LogWriterId("portal", "abc", 0)), "16cf48c668d838dee471c5fb88122cc2");
  EXPECT_EQ(hex(LogWriterId("portal", "abc", 1)), "56887e34565c236688529c23a6af6402");
  LinesHash hash;
  hash.Add("abc");
  EXPECT_EQ(SequenceAfter(1, hash.digest()), 1'605'370u);
  EXPECT_EQ(SequenceAfterUnfinished(2, hash.digest()), 2'185'673u);
  EXPECT_EQ(hex(MilestoneWriterId("portal", 0, 1, hash.digest())), "5293a902e256b5ced53329b54789e729");
  EXPECT_NE(LogWriterId("portal", "abc", 0), LogWriterId("other", "abc", 0));
}

TEST(LogIdentity, MilestonesAreDenseForShortLogsAndFewForLongOnes) {
  std::vector<uint64_t> short_logs;
  for (uint64_t line = 1; line <= 40; ++line) {
    if (IsMilestone(line)) short_logs.push_back(line);
  }
  EXPECT_EQ(short_logs, (std::vector<uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40}));
  size_t count = 0;
  for (uint64_t line = 1; line <= 1'000'000; ++line) count += IsMilestone(line) ? 1 : 0;
  EXPECT_EQ(count, 45u);
}

TEST(LogIdentity, TheFirstLineIsNeitherBlankNorAComment) {
  EXPECT_EQ(FirstLineOf("\xEF\xBB\xBF#c\n \nabc\nd", false), "abc");
  EXPECT_EQ(FirstLineOf("#c\nabc", false), std::nullopt);
  EXPECT_EQ(FirstLineOf("#c\nabc", true), "abc");
  EXPECT_EQ(FirstLineOf("#c\n", true), std::nullopt);
}

TEST_F(ImportTest, ALogThatIsNotUnderstoodCanBeImportedWithAnotherFormat) {
  std::string text;
  for (int i = 0; i < 3'000; ++i)
    text += fmt::format("192.0.2.{}|17/May/2015:10:05:03 +0000|GET /a HTTP/1.1|200\n", i % 9);
  const TemporaryFile file(text);
  const auto first = Import(file.path());
  ASSERT_TRUE(first.status.ok()) << first.status;
  EXPECT_EQ(first.counts.bad_lines, 3'000u);
  EXPECT_TRUE(service_.counted().empty()) << "nothing is remembered";
  FormatOptions format;
  format.format = "$remote_addr|$time_local|$request|$status";
  EXPECT_EQ(Import(file.path(), "portal", format).counts.views, 3'000u);
  EXPECT_EQ(Import(file.path(), "portal", format).counts.imported_before_lines, 3'000u);
}

TEST_F(ImportTest, LinesBeforeTheFirstThatIsUnderstoodAreCountedWithIt) {
  std::string noise;
  for (int i = 0; i < 2'500; ++i) noise += "started\n";
  const TemporaryFile file(noise + PageLine("/a"));
  const auto outcome = Import(file.path());
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.counts.bad_lines, 2'500u);
  EXPECT_EQ(outcome.counts.views, 1u);
  EXPECT_EQ(ExpectSeamless(), 2'501u);
  EXPECT_EQ(Import(file.path()).counts.imported_before_lines, 2'501u);
}

TEST_F(ImportTest, BotsAreSentAsBots) {
  auto bot = PageLine("/a");
  bot.replace(bot.find(kPageAgent), std::string(kPageAgent).size(),
              "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)");
  const auto outcome = Import(TemporaryFile(PageLine("/a") + bot).path());
  EXPECT_EQ(outcome.counts.views, 1u);
  EXPECT_EQ(outcome.counts.bot_views, 1u);
  const auto batches = LineBatches();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_FALSE(batches[0].views(0).bot());
  EXPECT_TRUE(batches[0].views(1).bot());
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
