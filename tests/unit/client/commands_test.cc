// Tests the commands against scripted services. The tests check their requests, their output and their exit status.
#include "client/cli/commands.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_ingest.h"
#include "tests/unit/client/import_fixture.h"

namespace viewcount::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class FakeAdmin : public v1::AdminService::Service {
 public:
  grpc::Status ListSites(grpc::ServerContext*, const v1::ListSitesRequest*, v1::ListSitesResponse* response) override {
    for (const auto& name : sites) response->add_sites()->set_name(name);
    return grpc::Status::OK;
  }
  grpc::Status PutSite(grpc::ServerContext*, const v1::PutSiteRequest* request,
                       v1::PutSiteResponse* response) override {
    *response->mutable_site() = request->site();
    response->set_created(true);
    return grpc::Status::OK;
  }
  grpc::Status Flush(grpc::ServerContext*, const v1::FlushRequest*, v1::FlushResponse* response) override {
    response->set_flushed_views(1'234);
    return flush;
  }
  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*, v1::GetStatusResponse* response) override {
    response->set_version("9.9");
    response->set_received_views(12'345);
    response->mutable_uptime()->set_seconds(90'061);
    response->set_store_state(store_state);
    response->set_store_message("connection refused");
    response->add_lanes()->set_lane_id("abc");
    return grpc::Status::OK;
  }

  std::vector<std::string> sites = {"portal"};
  grpc::Status flush = grpc::Status::OK;
  v1::StoreState store_state = v1::STORE_STATE_AWAY;
};

class FakeQuery : public v1::QueryService::Service {
 public:
  grpc::Status GetCounts(grpc::ServerContext*, const v1::GetCountsRequest* request,
                         v1::GetCountsResponse* response) override {
    ++calls;
    site = request->site();
    if (request->article_ids_size() > 1'000) return {grpc::StatusCode::INVALID_ARGUMENT, "too many"};
    for (const auto& article : request->article_ids()) {
      auto* count = response->add_counts();
      count->set_article_id(article);
      count->set_views(3'933);
    }
    response->set_exact(true);
    response->mutable_as_of()->set_seconds(1'431'857'103);
    return grpc::Status::OK;
  }
  // Returns the ranks 1 to `ranks`, at most `page` of them in one response.
  grpc::Status ListPopular(grpc::ServerContext*, const v1::ListPopularRequest* request,
                           v1::ListPopularResponse* response) override {
    ++calls;
    window = request->window();
    uint32_t rank = request->page_token().empty() ? 0 : static_cast<uint32_t>(std::stoul(request->page_token()));
    for (uint32_t i = 0; i < std::min(request->page_size(), page) && rank < ranks; ++i) {
      auto* article = response->add_articles();
      article->set_rank(++rank);
      article->set_views(1'000'000 - rank);
      article->set_article_id(fmt::format("article{}", rank == repeated_rank ? rank - 1 : rank));
    }
    if (rank < ranks) response->set_next_page_token(std::to_string(rank));
    response->set_exact(true);
    return grpc::Status::OK;
  }

  grpc::Status GetSiteStats(grpc::ServerContext*, const v1::GetSiteStatsRequest* request,
                            v1::GetSiteStatsResponse* response) override {
    site = request->site();
    const auto fill = [](v1::SiteTotals& totals, std::array<uint64_t, 5> numbers) {
      totals.set_total(numbers[0]);
      totals.set_today(numbers[1]);
      totals.set_yesterday(numbers[2]);
      totals.set_this_week(numbers[3]);
      totals.set_this_month(numbers[4]);
    };
    fill(*response->mutable_views(), {37'456'821, 12, 3'456, 3'468, 80'000});
    fill(*response->mutable_visits(), {9'400'000, 7, 900, 907, 20'000});
    fill(*response->mutable_viewers(), {3'100'000, 5, 600, 601, 9'000});
    response->mutable_viewers()->set_standard_error(0.008125);
    response->set_online_now(3);
    response->set_exact(true);
    response->mutable_as_of()->set_seconds(1'431'857'103);
    return grpc::Status::OK;
  }
  // Sends up to `watch_messages` messages, until the client cancels the stream.
  grpc::Status WatchCounts(grpc::ServerContext* context, const v1::WatchCountsRequest* request,
                           grpc::ServerWriter<v1::WatchCountsResponse>* writer) override {
    for (uint64_t i = 0; i < watch_messages && !context->IsCancelled(); ++i) {
      v1::WatchCountsResponse response;
      for (const auto& id : request->article_ids()) {
        auto* count = response.add_counts();
        count->set_article_id(id);
        count->set_views(3'933 + i);
      }
      response.set_site_views(1'000 + i / 2);
      response.mutable_as_of()->set_seconds(1'431'857'103);
      if (!writer->Write(response)) break;
    }
    return watch_end;
  }

  uint64_t watch_messages = ~uint64_t{0};
  grpc::Status watch_end = grpc::Status::OK;
  uint32_t ranks = 256;
  uint32_t page = 100;
  // The rank at which the article of the rank before is again. 0 for none.
  uint32_t repeated_rank = 0;
  int calls = 0;
  std::string site;
  v1::Window window;
};

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() { options_.server = service_.address(); }

  // Runs the command and captures its output.
  template <typename Command>
  auto RunIt(const Command& command) {
    Session session(options_);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    auto result = cli::Run(session, command);
    std::fflush(stdout);
    output_ = ::testing::internal::GetCapturedStdout();
    errors_ = ::testing::internal::GetCapturedStderr();
    return result;
  }

  FakeAdmin admin_;
  FakeQuery query_;
  testing::FakeIngest service_{{&admin_, &query_}};
  GlobalOptions options_;
  std::string output_;
  std::string errors_;
};

TEST_F(CommandsTest, RecordSendsEveryArticle) {
  ASSERT_TRUE(RunIt(RecordCommand{{"a", "b"}, 3, 7, true}).ok());
  const auto request = service_.counted().at(0);
  EXPECT_EQ(request.site(), "portal") << "the only site";
  ASSERT_EQ(request.views_size(), 2);
  EXPECT_EQ(request.views(1).article_id(), "b");
  EXPECT_EQ(request.views(1).count(), 3u);
  EXPECT_EQ(request.views(1).viewer(), 7u);
  EXPECT_TRUE(request.views(1).bot());
  EXPECT_EQ(output_, "6 views recorded, on the service's disk\n");
}

TEST_F(CommandsTest, CountShowsATableAndSplitsLongLists) {
  ASSERT_TRUE(RunIt(CountCommand{{"a"}}).ok());
  EXPECT_EQ(output_,
            "VIEWS  VIEWERS  BOT VIEWS  ARTICLE\n"
            "3,933        0          0  a\n"
            "as of 2015-05-17 10:05:03 UTC\n");
  CountCommand many;
  for (int i = 0; i < 2'001; ++i) many.articles.push_back(std::to_string(i));
  query_.calls = 0;
  ASSERT_TRUE(RunIt(many).ok());
  EXPECT_EQ(query_.calls, 3);
  EXPECT_EQ(std::count(output_.begin(), output_.end(), '\n'), 2'003);
}

TEST_F(CommandsTest, TopFollowsPagesToItsLimit) {
  ASSERT_TRUE(RunIt(TopCommand{.limit = 20}).ok());
  EXPECT_THAT(output_, HasSubstr("\n   1  999,999  article1\n"));
  EXPECT_EQ(std::count(output_.begin(), output_.end(), '\n'), 22);
  EXPECT_TRUE(query_.window.all_time());
  query_.calls = 0;
  ASSERT_TRUE(RunIt(TopCommand{.limit = 250, .window = {.day = "2015-05-17"}}).ok());
  EXPECT_EQ(query_.calls, 3);
  EXPECT_EQ(std::count(output_.begin(), output_.end(), '\n'), 252);
  EXPECT_EQ(query_.window.day(), "2015-05-17");
  query_.ranks = 3;
  ASSERT_TRUE(RunIt(TopCommand{.limit = 256, .window = {.day = "today"}}).ok());
  EXPECT_EQ(std::count(output_.begin(), output_.end(), '\n'), 5);
  EXPECT_TRUE(query_.window.has_day());
  EXPECT_EQ(query_.window.day(), "");
}

TEST_F(CommandsTest, TopIsNotExactIfAnArticleChangedItsPage) {
  ASSERT_TRUE(RunIt(TopCommand{.limit = 200}).ok());
  EXPECT_THAT(output_, Not(HasSubstr("not exact")));
  query_.repeated_rank = 101;
  ASSERT_TRUE(RunIt(TopCommand{.limit = 200}).ok());
  EXPECT_THAT(output_, HasSubstr(", not exact\n"));
}

TEST_F(CommandsTest, StatsShowsTheSitesCalendar) {
  ASSERT_TRUE(RunIt(StatsCommand{}).ok());
  EXPECT_EQ(query_.site, "portal");
  EXPECT_EQ(output_,
            "PERIOD           VIEWS     VISITS     VIEWERS\n"
            "in all      37,456,821  9,400,000  ~3,100,000\n"
            "today               12          7          ~5\n"
            "yesterday        3,456        900        ~600\n"
            "this week        3,468        907        ~601\n"
            "this month      80,000     20,000      ~9,000\n"
            "~3 online now\n"
            "as of 2015-05-17 10:05:03 UTC; ~ is estimated, with a standard error of 0.8 %\n");
}

TEST_F(CommandsTest, WatchPrintsALineForEachChangeAndEndsWhenTold) {
  ASSERT_TRUE(RunIt(WatchCommand{{"a"}, 2}).ok());
  EXPECT_EQ(output_,
            "2015-05-17 10:05:03 UTC           3,933  a\n"
            "2015-05-17 10:05:03 UTC           1,000  (the whole site)\n"
            "2015-05-17 10:05:03 UTC           3,934  a\n");
  options_.json = true;
  ASSERT_TRUE(RunIt(WatchCommand{{}, 1}).ok());
  EXPECT_THAT(output_, HasSubstr(R"("siteViews": "1000")"));
}

TEST_F(CommandsTest, WatchSaysWhyTheServiceEndedIt) {
  query_.watch_messages = 1;
  query_.watch_end = testing::WithRetryDelay(grpc::StatusCode::UNAVAILABLE, std::chrono::milliseconds(500));
  const auto ended = RunIt(WatchCommand{{"a"}, 0});
  EXPECT_EQ(ExitCodeOf(ended), ExitCode::kFailed);
  EXPECT_THAT(std::string(ended.message()), HasSubstr("try again in 500 ms"));
  EXPECT_THAT(output_, HasSubstr("3,933  a\n"));
}

TEST_F(CommandsTest, JsonIsTheResponse) {
  options_.json = true;
  ASSERT_TRUE(RunIt(CountCommand{{"a"}}).ok());
  EXPECT_THAT(output_, HasSubstr(R"("views": "3933")"));
  EXPECT_THAT(output_, HasSubstr(R"("botViews": "0")")) << "fields of value 0 too";
  ASSERT_TRUE(RunIt(SitePutCommand{"x", "UTC"}).ok());
  EXPECT_THAT(output_, HasSubstr(R"("created": true)"));
  ASSERT_TRUE(RunIt(StatusCommand{}).ok());
  EXPECT_THAT(output_, HasSubstr(R"("receivedViews": "12345")"));
}

TEST_F(CommandsTest, AdminCommandsPrintWhatTheyDid) {
  ASSERT_TRUE(RunIt(SitePutCommand{"x", "Asia/Ho_Chi_Minh"}).ok());
  EXPECT_EQ(output_, "site x created, time zone Asia/Ho_Chi_Minh, any origin is allowed\n");
  ASSERT_TRUE(RunIt(SitePutCommand{"x", "", {{"https://a.example", "https://b.example"}}}).ok());
  EXPECT_EQ(output_, "site x created, time zone UTC, allowed origins https://a.example, https://b.example\n");
  ASSERT_TRUE(RunIt(SitePutCommand{"x", "", {}, std::chrono::minutes(90), {{"10.0.0.0/8", "::1"}}, true}).ok());
  EXPECT_EQ(output_,
            "site x created, time zone UTC, any origin is allowed, cool-down 90m, without 10.0.0.0/8, ::1, announced "
            "articles only\n");
  admin_.sites = {"a", "b"};
  ASSERT_TRUE(RunIt(SiteListCommand{}).ok());
  EXPECT_EQ(output_,
            "SITE  TIME ZONE  ALLOWED ORIGINS  COOL-DOWN  EXCLUDED  ARTICLES  AGENTS  ADDRESSES\n"
            "a     UTC        any              none       none      any\n"
            "b     UTC        any              none       none      any\n");
  ASSERT_TRUE(RunIt(FlushCommand{}).ok());
  EXPECT_EQ(output_, "1,234 pending views are in Redis now\n");
  ASSERT_TRUE(RunIt(StatusCommand{}).ok());
  for (const char* part : {"9.9", "12,345", "1 d 01:01:01", "away: connection refused", "abc"}) {
    EXPECT_THAT(output_, HasSubstr(part));
  }
  // The message states which error the store reports.
  admin_.store_state = v1::STORE_STATE_REFUSING;
  ASSERT_TRUE(RunIt(StatusCommand{}).ok());
  EXPECT_THAT(output_, ::testing::ContainsRegex("store +connection refused"));
}

TEST_F(CommandsTest, WithoutASiteTheErrorSaysWhatToDo) {
  admin_.sites = {};
  EXPECT_THAT(std::string(RunIt(TopCommand{}).message()), HasSubstr("viewcount site put NAME"));
  admin_.sites = {"a", "b"};
  EXPECT_THAT(std::string(RunIt(TopCommand{}).message()), HasSubstr("a, b"));
  options_.site = "b";
  EXPECT_TRUE(RunIt(CountCommand{{"x"}}).ok());
  EXPECT_EQ(query_.site, "b");
}

TEST_F(CommandsTest, AServiceThatIsNotThereIsToldFromOneThatRefuses) {
  admin_.flush = testing::WithRetryDelay(grpc::StatusCode::UNAVAILABLE, std::chrono::milliseconds(500));
  const auto refused = RunIt(FlushCommand{});
  EXPECT_EQ(ExitCodeOf(refused), ExitCode::kFailed);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("try again in 500 ms"));
  options_.server = "127.0.0.1:1";
  const auto away = RunIt(FlushCommand{});
  EXPECT_EQ(ExitCodeOf(away), ExitCode::kUnreachable);
  EXPECT_THAT(std::string(away.message()), HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(std::string(away.message()), HasSubstr("--server"));
}

TEST_F(CommandsTest, ImportReportsWhatCountedAndWhatWasBad) {
  const testing::TemporaryFile file(ManyPages(3'000) + "192.0.2.9 broken\n");
  ImportAccessLogCommand command;
  command.files = {file.path()};
  EXPECT_EQ(RunIt(command).value(), ExitCode::kOk);
  EXPECT_EQ(output_,
            "2,000 views and 0 bot views of 10 articles counted; 1,000 lines were no page views; 1 bad line; format: "
            "combined\n");
  EXPECT_THAT(errors_, HasSubstr("line 3001: "));
  EXPECT_THAT(errors_, HasSubstr("broken"));
  EXPECT_THAT(errors_, ::testing::Not(HasSubstr("192.0.2.9")));
  EXPECT_EQ(RunIt(command).value(), ExitCode::kOk);
  EXPECT_EQ(output_, "0 new views; 3,001 lines were imported before; 0 lines were no page views; 0 bad lines\n");
  EXPECT_EQ(service_.total(), 2'000u);
}

TEST_F(CommandsTest, StrictImportEndsWith3IfThereAreBadLines) {
  const testing::TemporaryFile good(PageLine("/a"));
  const testing::TemporaryFile bad(PageLine("/b") + "broken\n");
  ImportAccessLogCommand command;
  command.strict = true;
  command.files = {good.path()};
  EXPECT_EQ(RunIt(command).value(), ExitCode::kOk);
  command.files = {bad.path()};
  EXPECT_EQ(RunIt(command).value(), ExitCode::kBadLines);
  EXPECT_EQ(service_.counts(), (std::map<std::string, uint64_t>{{"/a", 1}, {"/b", 1}}));
}

TEST_F(CommandsTest, OnlyTheFirstBadLinesAreShown) {
  std::string text;
  for (int i = 0; i < 25; ++i) text += "broken\n";
  const testing::TemporaryFile file(text);
  ImportAccessLogCommand command;
  command.files = {file.path()};
  EXPECT_EQ(RunIt(command).value(), ExitCode::kNoLineUnderstood);
  EXPECT_THAT(errors_, HasSubstr("line 10: "));
  EXPECT_THAT(errors_, ::testing::Not(HasSubstr("line 11: ")));
  EXPECT_THAT(errors_, HasSubstr("15 more bad lines"));
}

TEST_F(CommandsTest, ImportAsJsonIsOneObject) {
  options_.json = true;
  const testing::TemporaryFile file(ManyPages(3'000));
  ImportAccessLogCommand command;
  command.files = {file.path()};
  EXPECT_TRUE(RunIt(command).ok());
  for (const char* part :
       {"\"views\": 2000", "\"botViews\": 0", "\"formats\": [\"combined\"]", "\"hint\": \"\"", "\"articles\": 10",
        "\"lines\": 3000", "\"importedBeforeLines\": 0", "\"noPageViewLines\": 1000", "\"badLines\": 0"}) {
    EXPECT_THAT(output_, HasSubstr(part));
  }
}

TEST_F(CommandsTest, ImportWithoutAnUnderstoodLineEndsWith5WhateverTheFlags) {
  const testing::TemporaryFile file("what\never\n");
  ImportAccessLogCommand command;
  command.files = {file.path()};
  for (const bool strict : {false, true}) {
    command.strict = strict;
    EXPECT_EQ(RunIt(command).value(), ExitCode::kNoLineUnderstood);
    EXPECT_THAT(errors_, HasSubstr("no line was understood"));
    EXPECT_THAT(errors_, HasSubstr("--format"));
  }
  file.Write("");
  EXPECT_EQ(RunIt(command).value(), ExitCode::kOk) << "an empty log has no line to understand";
  file.Write("#Software: x\n#Fields: date time\n");
  EXPECT_EQ(RunIt(command).value(), ExitCode::kOk);
}

TEST_F(CommandsTest, ImportWarnsOfOneAddressAndHintsAtDroppedParameters) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += PageLine(fmt::format("/xem.php?ss=2&v={}", i));
  const testing::TemporaryFile file(text);
  ImportAccessLogCommand command;
  command.files = {file.path()};
  EXPECT_EQ(RunIt(command).value(), ExitCode::kOk);
  EXPECT_THAT(errors_, HasSubstr("warning: all lines have one address"));
  EXPECT_THAT(errors_, HasSubstr("hint: 1 address has parameters that the site's rule drops: /xem.php (ss, v); if they "
                                 "name articles: viewcount site put portal --add-article-parameter v"));
}

TEST_F(CommandsTest, ImportIntoAMissingSiteOrOfAMissingFileSaysSo) {
  ImportAccessLogCommand command;
  command.files = {"/nonexistent/access.log"};
  const auto missing = RunIt(command);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("/nonexistent/access.log"));
  options_.site = "nope";
  const auto unknown = RunIt(command);
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("viewcount site put nope"));
}

}  // namespace
}  // namespace viewcount::cli
