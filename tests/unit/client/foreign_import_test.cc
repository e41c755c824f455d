// Tests that the rows of other counters' files count once, however they are cut into batches.
#include <gtest/gtest.h>

#include <string>

#include "client/cli/foreign_format.h"
#include "service/base/limits.h"
#include "tests/unit/client/import_fixture.h"

namespace viewcount::cli {
namespace {

using testing::Fault;
using testing::TemporaryFile;

constexpr char kHeader[] = "date,page,pageviews\n";

std::string PageRow(int page, uint64_t views) { return fmt::format("2026-11-30,/p/{},{}\n", page, views); }

class ForeignImportTest : public ImportTest {
 protected:
  ImportCounts ImportPages(const std::string& path) {
    client::BatchSender sender(service_.channel(), send_options_);
    ImporterOptions options;
    options.site = "portal";
    options.make_parser = ParserOf(ForeignFormat::kPlausible, {.article_rule = {}, .days = {}});
    options.send = [&](const std::string& request) { return sender.Send(request); };
    ImportSummary summary;
    auto source = ByteSource::Open(path);
    EXPECT_TRUE(source.ok()) << source.status();
    ImportedLog rows(options, summary, path, std::move(*source));
    status_ = rows.Advance(UnfinishedLine::kTake);
    return summary.counts;
  }

  absl::Status status_;
};

TEST_F(ForeignImportTest, AManifoldRowIsDivided) {
  const TemporaryFile file(kHeader + PageRow(1, 2'500'000) + PageRow(2, 1));
  EXPECT_EQ(ImportPages(file.path()).views, 2'500'001u);
  const auto batch = LineBatches().at(0);
  const auto& views = batch.views();
  ASSERT_EQ(views.size(), 4);
  EXPECT_EQ(views[0].count(), limits::kViewCountMax);
  EXPECT_EQ(views[2].count(), 500'000u);
  EXPECT_EQ(views[3].count(), 0u) << "one view";
  EXPECT_EQ(service_.counts(), (std::map<std::string, uint64_t>{{"/p/1", 2'500'000}, {"/p/2", 1}}));
  const auto again = ImportPages(file.path());
  EXPECT_EQ(again.views, 0u);
  EXPECT_EQ(again.imported_before_lines, 3u);
}

TEST_F(ForeignImportTest, RowsOfManyEntriesFitTheLimits) {
  std::string text = kHeader;
  for (int i = 0; i < 30; ++i) text += PageRow(i, kLineViewsMax);
  EXPECT_EQ(ImportPages(TemporaryFile(text).path()).views, 30 * kLineViewsMax);
  EXPECT_TRUE(status_.ok()) << status_;
  for (const auto& batch : LineBatches()) {
    EXPECT_LE(batch.views_size(), static_cast<int>(limits::kBatchViewsMax));
    EXPECT_LE(batch.ByteSizeLong(), limits::kRequestBytesMax);
  }
  EXPECT_EQ(service_.counts().at("/p/29"), kLineViewsMax);
}

TEST_F(ForeignImportTest, ALostAnswerAndAGrownFileCountOnce) {
  std::string text = kHeader;
  uint64_t sum = 0;
  for (int i = 0; i < 3'000; ++i) {
    const uint64_t views = i % 7 == 0 ? 1'000'000 + i : i % 3;
    text += PageRow(i % 50, views);
    sum += views;
  }
  const TemporaryFile file(text);
  ScriptBatches({{},
                 {.kind = Fault::Kind::kLoseReply, .status = {grpc::StatusCode::UNAVAILABLE, "gone"}},
                 {.kind = Fault::Kind::kLoseReply, .status = {grpc::StatusCode::INVALID_ARGUMENT, "broken"}}});
  ImportPages(file.path());
  EXPECT_FALSE(status_.ok());
  file.Write(text + PageRow(1, 5));
  const auto counts = ImportPages(file.path());
  EXPECT_TRUE(status_.ok()) << status_;
  EXPECT_GT(counts.imported_before_lines, 0u);
  uint64_t counted = 0;
  for (const auto& [article, views] : service_.counts()) counted += views;
  EXPECT_EQ(counted, sum + 5);
}

TEST_F(ForeignImportTest, ARowWithoutAnEndIsLeftForTheCompleteFile) {
  const std::string header = "date,hostname,page,pageviews\n";
  // The lines of the open row do not fit one batch.
  const std::string begin = header + "2026-11-30,h,/p/1,3\n2026-11-30,\"h" + std::string(3'000, '\n');
  const TemporaryFile file(begin + "cut off");
  for (int i = 0; i < 2; ++i) {
    const auto counts = ImportPages(file.path());
    EXPECT_TRUE(status_.ok()) << status_;
    EXPECT_EQ(counts.views, i == 0 ? 3u : 0u);
    EXPECT_EQ(counts.bad_lines, 1u);
  }
  file.Write(begin + "cut off\",/p/2,4\n2026-11-30,h,/p/3,5\n");
  const auto counts = ImportPages(file.path());
  EXPECT_EQ(counts.views, 9u);
  EXPECT_EQ(counts.bad_lines, 0u);
  EXPECT_EQ(service_.counts(), (std::map<std::string, uint64_t>{{"/p/1", 3}, {"/p/2", 4}, {"/p/3", 5}}));
}

TEST(ImportError, AForgottenFileOfAnotherCounterKeepsItsHeader) {
  client::SendResult forgotten;
  forgotten.status = absl::FailedPreconditionError("unknown");
  forgotten.details.reason = "UNKNOWN_WRITER";
  const auto status = ImportError(
      forgotten, {.acknowledged_line = 4, .first_line = 5, .last_line = 9, .name = "pages.csv", .foreign = true});
  EXPECT_EQ(status.message().find("access-log"), absl::string_view::npos) << status;
  EXPECT_NE(status.message().find("its header, if it has one, and its lines from 5 on"), absl::string_view::npos);
}

// Another import of the same file may have counted the first lines of a batch meanwhile.
TEST(ImportBatch, DroppedLinesTakeAllTheirEntriesAlong) {
  ImportBatch batch("portal");
  batch.Begin(std::string(16, 'w'), 0);
  batch.Add(1, 10, {.kind = LineKind::kView, .article_id = "/a", .event_time_unix_ms = 1, .count = 2'500'000}, "");
  batch.Add(2, 20, {.kind = LineKind::kBlank}, "");
  batch.Add(3, 30, {.kind = LineKind::kBotView, .article_id = "/b", .event_time_unix_ms = 1, .count = 1'000'001}, "");
  EXPECT_EQ(batch.views().size(), 5);
  EXPECT_EQ(batch.DropThrough(20), 2u);
  ASSERT_EQ(batch.views().size(), 2);
  EXPECT_EQ(batch.views()[0].article_id(), "/b");
  EXPECT_EQ(batch.views()[0].count(), 1'000'000u);
  EXPECT_EQ(batch.lines().front().views, 1'000'001u);
  batch.Clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.views().size(), 0);
}

}  // namespace
}  // namespace viewcount::cli
