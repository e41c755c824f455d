// Follows real files through their rotation, with a service that counts.
#include "client/cli/log_follower.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"
#include "tests/unit/client/import_fixture.h"

namespace viewcount::cli {
namespace {

using std::chrono::seconds;
using testing::Fault;

class LogFollowerTest : public ImportTest {
 protected:
  LogFollowerTest() {
    options_.site = "portal";
    options_.bots = &bots_;
    options_.send = [this](const std::string& request) { return sender_.Send(request); };
    options_.on_warning = [this](const std::string& text) { warnings_.push_back(text); };
    Restart();
  }

  // Ends the follower without a word, as kill -9 does, and starts another one.
  void Restart() { follower_ = std::make_unique<LogFollower>(options_, summary_, std::vector<std::string>{path_}); }

  void Append(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }
  void AppendTo(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::app) << text; }

  // Polls once, `passed` after the poll before.
  void Poll(seconds passed = seconds(0)) {
    now_ += passed;
    const auto status = follower_->Poll(now_);
    ASSERT_TRUE(status.ok()) << status;
  }

  uint64_t CountOf(const std::string& article) {
    const auto counts = service_.counts();
    const auto found = counts.find(article);
    return found == counts.end() ? 0 : found->second;
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/access.log";
  const std::string rotated_ = path_ + ".1";
  BotPatterns bots_;
  client::BatchSender sender_{service_.channel(), send_options_};
  ImporterOptions options_;
  ImportSummary summary_;
  std::vector<std::string> warnings_;
  std::unique_ptr<LogFollower> follower_;
  LogFollower::Time now_{};
};

TEST_F(LogFollowerTest, LinesCountAsSoonAsTheyEnd) {
  Poll();
  Append(PageLine("/a"));
  Poll();
  EXPECT_EQ(CountOf("/a"), 1u) << "a file that did not exist at the start";
  const auto line = PageLine("/b");
  Append(line.substr(0, line.size() / 2));
  Poll();
  Append(line.substr(line.size() / 2, line.size() - line.size() / 2 - 1));
  Poll();
  EXPECT_EQ(CountOf("/b"), 0u) << "the line may still go on";
  Append("\n" + PageLine("/c"));
  Poll();
  Poll();
  EXPECT_EQ(service_.counts(), (std::map<std::string, uint64_t>{{"/a", 1}, {"/b", 1}, {"/c", 1}}));
  EXPECT_EQ(summary_.counts.views, 3u);
}

TEST_F(LogFollowerTest, ARenamedLogIsReadOnBesideTheNewOne) {
  Append(PageLine("/a"));
  Poll();
  std::filesystem::rename(path_, rotated_);
  Poll();
  AppendTo(rotated_, PageLine("/late1"));
  Append(PageLine("/b"));
  Poll();
  AppendTo(rotated_, PageLine("/late2"));
  Poll(seconds(50));
  AppendTo(rotated_, PageLine("/late3").substr(0, PageLine("/late3").size() - 1));
  Poll(seconds(50));
  EXPECT_EQ(CountOf("/late3"), 0u);
  Poll(seconds(61));
  EXPECT_EQ(CountOf("/late3"), 1u) << "the last line counts also without an end, because nothing is written any more";
  Append(PageLine("/b"));
  Poll();
  EXPECT_EQ(service_.counts(),
            (std::map<std::string, uint64_t>{{"/a", 1}, {"/b", 2}, {"/late1", 1}, {"/late2", 1}, {"/late3", 1}}));
}

TEST_F(LogFollowerTest, ATruncatedLogIsReadOnInItsCopyAndFromItsBeginning) {
  for (const bool grown_again : {false, true}) {
    SCOPED_TRACE(grown_again);
    std::filesystem::remove(path_);
    std::filesystem::remove(rotated_);
    const std::string suffix = grown_again ? "2" : "1";
    Restart();
    Append(PageLine("/before" + suffix) + ManyPages(10));
    Poll();
    // copytruncate: lines are written, the log is copied, and then truncated, between two polls.
    Append(PageLine("/between" + suffix));
    std::filesystem::copy_file(path_, rotated_);
    std::filesystem::resize_file(path_, 0);
    if (grown_again) Append(PageLine("/new" + suffix) + ManyPages(100));
    Poll();
    EXPECT_EQ(CountOf("/between" + suffix), 1u);
    Append(PageLine("/after" + suffix));
    Poll();
    EXPECT_EQ(CountOf("/before" + suffix), 1u);
    EXPECT_EQ(CountOf("/after" + suffix), 1u);
    EXPECT_EQ(CountOf("/new" + suffix), grown_again ? 1u : 0u);
  }
  EXPECT_TRUE(warnings_.empty()) << warnings_[0];
}

TEST_F(LogFollowerTest, ATruncatedLogWithoutCopyIsAWarning) {
  Append(PageLine("/a"));
  Poll();
  std::filesystem::resize_file(path_, 0);
  Poll();
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("no copy named " + rotated_), std::string::npos);
}

TEST_F(LogFollowerTest, AfterKillEveryLineCountsOnceAlsoThoseOfARotationMeanwhile) {
  Append(PageLine("/a"));
  Poll();
  follower_.reset();
  Append(PageLine("/b"));
  Restart();
  Poll();
  EXPECT_EQ(service_.total(), 2u);
  follower_.reset();
  Append(PageLine("/c"));
  std::filesystem::rename(path_, rotated_);
  AppendTo(rotated_, PageLine("/d"));
  Append(PageLine("/e"));
  Restart();
  Poll();
  AppendTo(rotated_, PageLine("/f"));
  Poll();
  EXPECT_EQ(service_.counts(),
            (std::map<std::string, uint64_t>{{"/a", 1}, {"/b", 1}, {"/c", 1}, {"/d", 1}, {"/e", 1}, {"/f", 1}}));
}

TEST_F(LogFollowerTest, OneFileUnderTwoNamesIsReadOnce) {
  follower_ = std::make_unique<LogFollower>(options_, summary_, std::vector<std::string>{path_, rotated_});
  Append(PageLine("/a"));
  Poll();
  std::filesystem::rename(path_, rotated_);
  Append(PageLine("/b"));
  Poll();
  AppendTo(rotated_, PageLine("/c"));
  Poll();
  Poll(seconds(61));
  Poll(seconds(61));
  EXPECT_EQ(service_.counts(), (std::map<std::string, uint64_t>{{"/a", 1}, {"/b", 1}, {"/c", 1}}));
}

TEST_F(LogFollowerTest, ALostAnswerCountsNothingTwice) {
  Append(PageLine("/a"));
  ScriptBatches({{Fault::Kind::kLoseReply, {grpc::StatusCode::UNAVAILABLE, "lost"}, 0}});
  Poll();
  Append(PageLine("/b"));
  Poll();
  EXPECT_EQ(service_.total(), 2u);
  EXPECT_EQ(summary_.counts.unconfirmed_views, 1u);
}

}  // namespace
}  // namespace viewcount::cli
