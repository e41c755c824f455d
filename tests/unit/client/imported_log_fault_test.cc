// Tests imports in which something fails. No view may count twice, and no view may be left out without an error.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "tests/unit/client/import_fixture.h"

namespace viewcount::cli {
namespace {

using testing::Fault;
using testing::TemporaryFile;

constexpr int kLines = 40'000;
constexpr uint64_t kViews = kLines - kLines / 3;

TEST_F(ImportTest, RetriesSendTheSameBytesAndCountAsThisRuns) {
  ScriptBatches({{},
                 {Fault::Kind::kLoseReply, {grpc::StatusCode::UNAVAILABLE, "lost"}},
                 {Fault::Kind::kRefuse, {grpc::StatusCode::UNAVAILABLE, "away"}}});
  const TemporaryFile file(ManyPages(kLines));
  const auto outcome = Import(file.path());
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.counts.views, kViews);
  EXPECT_EQ(outcome.counts.imported_before_lines, 0u);
  EXPECT_EQ(service_.total(), kViews);
  EXPECT_EQ(ExpectSeamless(), static_cast<uint64_t>(kLines));
  const auto attempts = BatchAttempts();
  EXPECT_EQ(attempts[1].bytes, attempts[2].bytes);
  EXPECT_EQ(attempts[2].bytes, attempts[3].bytes);
}

TEST_F(ImportTest, AnImportBrokenOffAnywhereGoesOnFromThere) {
  const TemporaryFile file(ManyPages(kLines));
  ScriptBatches({{}, {}, {Fault::Kind::kRefuse, {grpc::StatusCode::PERMISSION_DENIED, "no"}}});
  const auto first = Import(file.path());
  EXPECT_TRUE(absl::IsPermissionDenied(first.status));
  const uint64_t counted = ExpectSeamless();
  EXPECT_GT(counted, 0u);
  EXPECT_NE(first.status.message().find(fmt::format("lines up to {}", counted)), absl::string_view::npos)
      << first.status;
  const auto second = Import(file.path());
  ASSERT_TRUE(second.status.ok()) << second.status;
  EXPECT_EQ(second.counts.imported_before_lines, counted);
  EXPECT_EQ(first.counts.views + second.counts.views, kViews);
  EXPECT_EQ(service_.total(), kViews);
}

// A run over a shorter file cut its batches at other lines. A batch of the next run then begins before the last counted
// sequence and ends after it.
TEST_F(ImportTest, ABatchThatReachesBeyondTheLastSequenceIsCut) {
  const TemporaryFile file(ManyPages(1'000));
  ASSERT_TRUE(Import(file.path()).status.ok());
  for (int lines = 1'001; lines < 1'010; ++lines) {
    file.Write(ManyPages(lines) + "broken\n" + PageLine("/end"));
    const TemporaryFile shorter(ManyPages(lines));
    ASSERT_TRUE(Import(shorter.path()).status.ok());
    EXPECT_EQ(ExpectSeamless(), static_cast<uint64_t>(lines));
  }
  const auto outcome = Import(file.path());
  EXPECT_EQ(outcome.counts.imported_before_lines, 1'009u);
  EXPECT_EQ(outcome.counts.views, 1u);
  ASSERT_EQ(outcome.bad_lines.size(), 1u);
  EXPECT_EQ(outcome.bad_lines[0].number, 1'010u);
  EXPECT_EQ(ExpectSeamless(), 1'011u);
}

TEST_F(ImportTest, AServiceThatForgotStopsTheImport) {
  const TemporaryFile file(ManyPages(kLines));
  ScriptBatches({{}, {}, {Fault::Kind::kForget}});
  const auto outcome = Import(file.path());
  EXPECT_TRUE(absl::IsFailedPrecondition(outcome.status));
  const uint64_t counted = ExpectSeamless();
  const std::string message(outcome.status.message());
  EXPECT_NE(message.find(fmt::format("lines up to {} of {} are counted", counted, file.path())), std::string::npos)
      << message;
  EXPECT_NE(message.find(fmt::format("tail -n +{} {}", counted + 1, file.path())), std::string::npos) << message;
  EXPECT_EQ(BatchAttempts().size(), 3u) << "it does not go on under another identity";
  // Following the message's advice counts the remaining lines, and counts no line twice.
  std::string rest = ManyPages(kLines);
  for (uint64_t i = 0; i < counted; ++i) rest.erase(0, rest.find('\n') + 1);
  ASSERT_TRUE(Import(TemporaryFile(rest).path()).status.ok());
  EXPECT_EQ(service_.total(), kViews);
}

TEST_F(ImportTest, AnUnknownOutcomeBeforeTheServiceForgotIsTold) {
  const TemporaryFile file(ManyPages(kLines));
  ScriptBatches({{}, {Fault::Kind::kLoseReply, {grpc::StatusCode::UNAVAILABLE, "lost"}}, {Fault::Kind::kForget}});
  const auto outcome = Import(file.path());
  EXPECT_TRUE(absl::IsFailedPrecondition(outcome.status));
  EXPECT_NE(outcome.status.message().find("perhaps"), absl::string_view::npos) << outcome.status;
}

TEST_F(ImportTest, AServiceThatStaysAwayIsGivenUpInTime) {
  service_.Decide([](const auto&) { return Fault{Fault::Kind::kRefuse, {grpc::StatusCode::UNAVAILABLE, "away"}, 0}; });
  send_options_.batch_timeout = std::chrono::milliseconds(500);
  const auto outcome = Import(TemporaryFile(ManyPages(10)).path());
  EXPECT_TRUE(absl::IsUnavailable(outcome.status));
  EXPECT_NE(outcome.status.message().find("import it again"), absl::string_view::npos) << outcome.status;
}

TEST_F(ImportTest, TwoImportsOfOneLogAtTheSameTimeCountEveryLineOnce) {
  const TemporaryFile file(ManyPages(kLines));
  std::vector<Outcome> outcomes(3);
  std::vector<std::thread> threads;
  for (auto& outcome : outcomes) threads.emplace_back([&] { outcome = Import(file.path()); });
  for (auto& thread : threads) thread.join();
  uint64_t views = 0;
  for (const auto& outcome : outcomes) {
    // An import that was disturbed too often says so, and counts nothing twice.
    EXPECT_TRUE(outcome.status.ok() || absl::IsAborted(outcome.status)) << outcome.status;
    views += outcome.counts.views;
  }
  ASSERT_TRUE(Import(file.path()).status.ok());
  EXPECT_EQ(service_.total(), kViews);
  EXPECT_EQ(ExpectSeamless(), static_cast<uint64_t>(kLines));
  EXPECT_LE(views, kViews);
}

TEST_F(ImportTest, TwoLogsWithOneFirstLineAtTheSameTimeAreBothCounted) {
  const TemporaryFile one(ManyPages(5'000) + PageLine("/one"));
  const TemporaryFile two(PageLine("/article/0") + PageLine("/two") + ManyPages(5'000));
  std::vector<Outcome> outcomes(2);
  std::thread thread([&] { outcomes[0] = Import(one.path()); });
  outcomes[1] = Import(two.path());
  thread.join();
  for (const auto& outcome : outcomes) ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(service_.total(), 2 * (5'000u - 5'000u / 3) + 3);
}

// Ends the import after each of its requests in turn, as kill -9 does, and goes on in a new run.
TEST_F(ImportTest, AnImportThatEndsAfterAnyRequestGoesOnExactly) {
  const TemporaryFile file(ManyPages(2'500)), copy(ManyPages(900));
  for (const auto kind : {Fault::Kind::kRefuse, Fault::Kind::kLoseReply}) {
    for (size_t last = 0; last < 100; last += 3) {
      const auto site = fmt::format("site{}-{}", static_cast<int>(kind), last);
      service_.ResetCounts();
      size_t request = 0;
      service_.Decide([&](const auto&) {
        return request++ == last ? Fault{kind, {grpc::StatusCode::PERMISSION_DENIED, "killed"}, 0} : Fault{};
      });
      Import(file.path(), site);
      service_.Decide({});
      const auto second = Import(file.path(), site);
      ASSERT_TRUE(second.status.ok()) << second.status;
      ASSERT_EQ(service_.total(), 2'500u - 2'500u / 3) << "ended at request " << last;
      ASSERT_TRUE(Import(copy.path(), site).status.ok());
      ASSERT_EQ(service_.total(), 2'500u - 2'500u / 3) << "an older copy, after an end at request " << last;
    }
  }
}

TEST_F(ImportTest, UnderRandomFaultsAndRestartsEveryLineCountsOnce) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  auto random = std::make_shared<std::minstd_rand>(seed);
  service_.Decide([random](const auto&) {
    switch ((*random)() % 60) {
      case 0:
        return Fault{Fault::Kind::kRefuse, {grpc::StatusCode::UNAVAILABLE, "away"}, 0};
      case 1:
        return Fault{Fault::Kind::kLoseReply, {grpc::StatusCode::UNAVAILABLE, "lost"}, 0};
      case 2:
        return Fault{Fault::Kind::kLoseReply, {grpc::StatusCode::PERMISSION_DENIED, "ends the run"}, 0};
      default:
        return Fault{};
    }
  });
  const TemporaryFile file("");
  int lines = 0;
  for (int run = 0; run < 200; ++run) {
    lines = std::min<int>(lines + static_cast<int>((*random)() % 20'000), 100'000);
    if (lines < 100) lines = 100;
    file.Write(ManyPages(lines));
    if (Import(file.path()).status.ok() && lines == 100'000) break;
  }
  service_.Decide({});
  ASSERT_TRUE(Import(file.path()).status.ok());
  EXPECT_EQ(ExpectSeamless(), static_cast<uint64_t>(lines));
  EXPECT_EQ(service_.total(), static_cast<uint64_t>(lines - lines / 3));
}

}  // namespace
}  // namespace viewcount::cli
