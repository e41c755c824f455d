#include "client/cli/command_line.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace viewcount::cli {
namespace {

std::variant<CommandLine, ExitCode> Parse(const std::vector<const char*>& words) {
  std::vector<const char*> arguments = {"viewcount"};
  for (const char* word : words) arguments.push_back(word);
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}
CommandLine Line(const std::vector<const char*>& words) {
  const auto parsed = Parse(words);
  EXPECT_TRUE(std::holds_alternative<CommandLine>(parsed));
  return std::holds_alternative<CommandLine>(parsed) ? std::get<CommandLine>(parsed) : CommandLine{};
}
ExitCode Exit(const std::vector<const char*>& words) {
  const auto parsed = Parse(words);
  EXPECT_TRUE(std::holds_alternative<ExitCode>(parsed));
  return std::holds_alternative<ExitCode>(parsed) ? std::get<ExitCode>(parsed) : ExitCode::kOk;
}

TEST(CommandLine, ImportsOfCountsHaveADayOrAreOfAllTime) {
  const auto import = std::get<ImportCountsCommand>(
      Line({"import", "counts", "-", "--day", "2026-11-22", "--id", "monday", "--dry-run"}).command);
  EXPECT_EQ(import.file, "-");
  EXPECT_EQ(import.day, "2026-11-22");
  EXPECT_EQ(import.id, "monday");
  EXPECT_TRUE(import.dry_run);
  EXPECT_FALSE(import.undo);
  EXPECT_TRUE(std::get<ImportCountsCommand>(Line({"import", "counts", "f", "--all-time", "--undo"}).command).undo);
  EXPECT_EQ(Exit({"import", "counts", "f", "--all-time", "--day", "2026-11-22"}), ExitCode::kUsage);
  EXPECT_EQ(Exit({"import", "counts", "f", "--day", "2026-02-30"}), ExitCode::kUsage);
  EXPECT_EQ(Exit({"import", "counts"}), ExitCode::kUsage);
  EXPECT_TRUE(std::get<ExportCommand>(Line({"export", "--full"}).command).full);
  EXPECT_EQ(Exit({"export", "--full", "--format", "csv"}), ExitCode::kUsage);
  EXPECT_EQ(Exit({"export", "--full", "--last", "7d"}), ExitCode::kUsage);
}

TEST(CommandLine, GlobalOptionsStandBeforeAndAfterTheCommand) {
  for (const auto& words :
       {std::vector<const char*>{"--server", "h:1", "--site", "s", "--json", "--timeout", "2.5", "top"},
        std::vector<const char*>{"top", "--server", "h:1", "--site", "s", "--json", "--timeout", "2.5"}}) {
    const auto line = Line(words);
    EXPECT_EQ(line.global.server, "h:1");
    EXPECT_EQ(line.global.site, "s");
    EXPECT_TRUE(line.global.json);
    EXPECT_EQ(line.global.call_timeout(), std::chrono::milliseconds(2'500));
    EXPECT_TRUE(std::holds_alternative<TopCommand>(line.command));
  }
  EXPECT_EQ(Line({"site", "put", "x", "--server", "h:1"}).global.server, "h:1");
  EXPECT_TRUE(Line({"import", "access-log", "f", "--json"}).global.json);
}

TEST(CommandLine, Defaults) {
  const auto line = Line({"top"});
  EXPECT_EQ(line.global.server, "127.0.0.1:7400");
  EXPECT_EQ(line.global.site, "");
  EXPECT_FALSE(line.global.json);
  EXPECT_EQ(line.global.call_timeout(), std::chrono::seconds(10));
  EXPECT_EQ(std::get<TopCommand>(line.command).limit, 20u);
  EXPECT_EQ(std::get<TopCommand>(line.command).window.day, "");
}

TEST(CommandLine, Annotations) {
  const auto put = std::get<AnnotationPutCommand>(
      Line({"annotation", "put", "A note", "--time", "2026-11-30T07:00:00Z", "--article", "/a"}).command);
  EXPECT_EQ(put.text, "A note");
  EXPECT_EQ(put.time, "2026-11-30T07:00:00Z");
  EXPECT_EQ(put.article, "/a");
  EXPECT_TRUE(std::holds_alternative<AnnotationListCommand>(Line({"annotation", "list"}).command));
  EXPECT_EQ(std::get<AnnotationDeleteCommand>(Line({"annotation", "delete", "x"}).command).id, "x");
  EXPECT_EQ(Exit({"annotation", "put"}), ExitCode::kUsage);
  EXPECT_EQ(Exit({"annotation"}), ExitCode::kUsage);
}

TEST(CommandLine, TheEnvironmentIsOverruledByOptions) {
  setenv("VIEWCOUNT_SERVER", "env:1", 1);
  setenv("VIEWCOUNT_SITE", "env", 1);
  EXPECT_EQ(Line({"top"}).global.server, "env:1");
  EXPECT_EQ(Line({"top"}).global.site, "env");
  EXPECT_EQ(Line({"top", "--site", "s"}).global.site, "s");
  unsetenv("VIEWCOUNT_SERVER");
  unsetenv("VIEWCOUNT_SITE");
}

TEST(CommandLine, CommandsTakeTheirArguments) {
  const auto record = std::get<RecordCommand>(
      Line({"record", "a", "b", "--count", "3", "--bot", "--viewer", "18446744073709551615"}).command);
  EXPECT_EQ(record.articles, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(record.count, 3u);
  EXPECT_TRUE(record.bot);
  EXPECT_EQ(record.viewer, ~uint64_t{0});
  EXPECT_EQ(std::get<CountCommand>(Line({"count", "--", "-a", "b"}).command).articles,
            (std::vector<std::string>{"-a", "b"}));
  EXPECT_EQ(std::get<TopCommand>(Line({"top", "--day", "2015-05-17", "--limit", "256"}).command).window.day,
            "2015-05-17");
  EXPECT_EQ(std::get<TopCommand>(Line({"top", "--day", "today"}).command).window.day, "today");
  EXPECT_EQ(std::get<TopCommand>(Line({"top", "--all-time"}).command).window.day, "");
  const auto top = std::get<TopCommand>(Line({"top", "--last", "24h", "--section", "s", "--tag", "t",
                                              "--published-within", "7d", "--previous", "--exact"})
                                            .command);
  EXPECT_EQ(top.window.last + top.only.section + top.only.tag + top.only.published_within, "24hst7d");
  EXPECT_TRUE(top.previous && top.exact);
  EXPECT_TRUE(std::holds_alternative<StatsCommand>(Line({"stats"}).command));
  const auto watch = std::get<WatchCommand>(Line({"watch", "a", "b", "--count", "2"}).command);
  EXPECT_EQ(watch.articles, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(watch.count, 2u);
  EXPECT_TRUE(std::get<WatchCommand>(Line({"watch"}).command).articles.empty());
  const auto put = std::get<SitePutCommand>(Line({"site", "put", "p", "--time-zone", "Asia/Ho_Chi_Minh"}).command);
  EXPECT_EQ(put.name, "p");
  EXPECT_EQ(put.time_zone, "Asia/Ho_Chi_Minh");
  EXPECT_FALSE(put.origins);
  EXPECT_FALSE(put.cool_down);
  EXPECT_FALSE(put.excluded);
  EXPECT_FALSE(put.announced_only);
  EXPECT_FALSE(put.reset);
  const auto open =
      std::get<SitePutCommand>(Line({"site", "put", "--origin", "https://a", "p", "--origin", "https://b"}).command);
  EXPECT_EQ(open.name, "p");
  EXPECT_EQ(open.origins, (std::vector<std::string>{"https://a", "https://b"}));
  const auto strict = std::get<SitePutCommand>(Line({"site", "put", "p", "--cool-down", "30m", "--exclude", "::1",
                                                     "--exclude", "10.0.0.0/8", "--announced-only"})
                                                   .command);
  EXPECT_EQ(strict.cool_down, std::chrono::minutes(30));
  EXPECT_EQ(strict.excluded, (std::vector<std::string>{"::1", "10.0.0.0/8"}));
  EXPECT_EQ(strict.announced_only, true);
  const auto again = std::get<SitePutCommand>(Line({"site", "put", "p", "--any-article", "--reset"}).command);
  EXPECT_EQ(again.announced_only, false);
  EXPECT_TRUE(again.reset);
  const auto announce = std::get<AnnounceCommand>(Line({"announce", "a", "--title", "t", "--section", "s"}).command);
  EXPECT_EQ(announce.articles, std::vector<std::string>{"a"});
  EXPECT_EQ(announce.title + announce.url, "t");
  EXPECT_EQ(announce.sections, std::vector<std::string>{"s"});
  EXPECT_EQ(std::get<AnnounceCommand>(Line({"announce", "a", "b"}).command).articles.size(), 2u);
  const auto bulk = std::get<AnnounceCommand>(
      Line({"announce", "--feed", "-", "--id", "guid", "--categories", "tags", "--section", "s", "--feed", "f"})
          .command);
  EXPECT_EQ(bulk.feeds, (std::vector<std::string>{"-", "f"}));
  EXPECT_TRUE(bulk.id_is_guid && bulk.categories_are_tags && bulk.in_bulk());
  EXPECT_FALSE(bulk.any_host);
  EXPECT_TRUE(std::get<AnnounceCommand>(Line({"announce", "--sitemap", "f", "--any-host"}).command).any_host);
  const auto report = std::get<ReportCommand>(Line({"report", "--month", "2026-10", "--format", "html"}).command);
  EXPECT_EQ(report.month, "2026-10");
  EXPECT_EQ(report.format, ReportFormat::kHtml);
  EXPECT_EQ(report.top, 20u);
  EXPECT_TRUE(std::get<TopCommand>(Line({"top", "--csv"}).command).csv);
  EXPECT_TRUE(std::holds_alternative<SiteListCommand>(Line({"site", "list"}).command));
  EXPECT_TRUE(std::holds_alternative<FlushCommand>(Line({"flush"}).command));
  EXPECT_TRUE(std::holds_alternative<StatusCommand>(Line({"status"}).command));
  const auto import = std::get<ImportAccessLogCommand>(Line({"import", "access-log", "a", "-", "--strict"}).command);
  EXPECT_EQ(import.files, (std::vector<std::string>{"a", "-"}));
  EXPECT_TRUE(import.strict);
  EXPECT_EQ(import.format.format, "auto");
  const auto more =
      std::get<ImportAccessLogCommand>(Line({"import", "access-log", "--host", "a.example", "--host", "b.example",
                                             "--follow", "--client-field", "last", "--format", "vhost", "f"})
                                           .command);
  EXPECT_EQ(more.hosts, (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_TRUE(more.follow);
  EXPECT_EQ(more.format.client_field, "last");
  EXPECT_EQ(more.format.format, "vhost");
  EXPECT_EQ(more.files, std::vector<std::string>{"f"});
}

TEST(CommandLine, AlertsTakeTheirArguments) {
  const auto put = std::get<AlertPutCommand>(
      Line({"alert",    "put",           "rush",       "--section",       "sport", "--hours",
            "3",        "--above-usual", "2.5",        "--minimum-usual", "7",     "--repeat-every",
            "6h",       "--webhook",     "https://h/", "--secret-file",   "s",     "--format",
            "telegram", "--chat",        "-100123",    "--language",      "vi"})
          .command);
  EXPECT_EQ(put.name + put.section + put.repeat_every + put.webhook + put.secret_file + put.chat,
            "rushsport6hhttps://h/s-100123");
  EXPECT_EQ(put.hours, 3u);
  EXPECT_EQ(put.above_usual, 2.5);
  EXPECT_EQ(put.minimum_usual, 7u);
  EXPECT_FALSE(put.above || put.below || put.below_usual);
  EXPECT_EQ(put.format, v1::ALERT_FORMAT_TELEGRAM);
  EXPECT_EQ(put.language, v1::ALERT_LANGUAGE_VIETNAMESE);
  const auto digest = std::get<AlertPutCommand>(Line({"alert", "put", "d", "--digest", "weekly", "--at", "0"}).command);
  EXPECT_EQ(digest.digest, v1::DIGEST_PERIOD_WEEK);
  EXPECT_EQ(digest.at, 0u);
  EXPECT_EQ(std::get<AlertTestCommand>(Line({"alert", "test", "rush"}).command).name, "rush");
  EXPECT_EQ(std::get<AlertDeleteCommand>(Line({"alert", "delete", "rush"}).command).name, "rush");
  EXPECT_TRUE(std::holds_alternative<AlertListCommand>(Line({"alert", "list"}).command));
}

TEST(CommandLine, WrongUsageExitsWith2) {
  for (const auto& words :
       std::vector<std::vector<const char*>>{{},
                                             {"nope"},
                                             {"site"},
                                             {"site", "nope"},
                                             {"record"},
                                             {"count"},
                                             {"top", "--limit", "0"},
                                             {"top", "--limit", "4097"},
                                             {"top", "--last", "1h", "--day", "today"},
                                             {"top", "--from", "2026-11-30T00:00:00Z"},
                                             {"top", "--limit", "x"},
                                             {"top", "--day", "yesterday"},
                                             {"top", "--day", "2015-5-17"},
                                             {"top", "--day", "today", "--all-time"},
                                             {"record", "a", "--count", "0"},
                                             {"record", "a", "--count", "1000001"},
                                             {"record", "a", "--count", "-1"},
                                             {"stats", "a"},
                                             {"site", "put", "p", "--cool-down", "5"},
                                             {"site", "put", "p", "--cool-down", "1500ms"},
                                             {"site", "put", "p", "--cool-down", "8d"},
                                             {"announce"},
                                             {"announce", "a", "b", "--title", "t"},
                                             {"announce", "a", "--sitemap", "s"},
                                             {"announce", "a", "--dry-run"},
                                             {"announce", "--feed", "f", "--title", "t"},
                                             {"announce", "--feed", "-", "--sitemap", "-"},
                                             {"announce", "--sitemap", "s", "--id", "guid"},
                                             {"announce", "--feed", "f", "--lastmod-as-published"},
                                             {"report", "--month", "2026-13"},
                                             {"report", "--month", "2026-10", "--day", "today"},
                                             {"report", "--format", "pdf"},
                                             {"report", "--top", "0"},
                                             {"top", "--csv", "--json"},
                                             {"--json", "series", "--csv"},
                                             {"watch", "--count", "-1"},
                                             {"top", "--timeout", "0"},
                                             {"import", "access-log"},
                                             {"import", "access-log", "--follow", "-"},
                                             {"import", "access-log", "--format", "apache", "f"},
                                             {"import", "access-log", "--format", "$status", "f"},
                                             {"alert"},
                                             {"alert", "put", "a"},
                                             {"alert", "put", "--above", "1"},
                                             {"alert", "put", "a", "--above", "1", "--below", "1"},
                                             {"alert", "put", "a", "--above", "-1"},
                                             {"alert", "put", "a", "--above", "1", "--hours", "25"},
                                             {"alert", "put", "a", "--above", "1", "--at", "8"},
                                             {"alert", "put", "a", "--digest", "monthly"},
                                             {"alert", "put", "a", "--digest", "daily", "--at", "24"},
                                             {"alert", "test"},
                                             {"top", "--nope"}}) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(Exit(words), ExitCode::kUsage);
    const auto error = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(error.rfind("viewcount: ", 0), 0u) << error;
    EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 1) << error;
    EXPECT_NE(error.find("--help"), std::string::npos) << error;
  }
}

TEST(CommandLine, EveryCommandHasHelpWithExamples) {
  for (const auto& words : std::vector<std::vector<const char*>>{{"--help"},
                                                                 {"record", "--help"},
                                                                 {"count", "--help"},
                                                                 {"top", "--help"},
                                                                 {"stats", "--help"},
                                                                 {"watch", "--help"},
                                                                 {"site", "--help"},
                                                                 {"site", "put", "--help"},
                                                                 {"site", "list", "--help"},
                                                                 {"announce", "--help"},
                                                                 {"report", "--help"},
                                                                 {"alert", "--help"},
                                                                 {"alert", "put", "--help"},
                                                                 {"alert", "list", "--help"},
                                                                 {"flush", "--help"},
                                                                 {"status", "--help"},
                                                                 {"import", "--help"},
                                                                 {"import", "access-log", "--help"}}) {
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(Exit(words), ExitCode::kOk);
    EXPECT_NE(::testing::internal::GetCapturedStdout().find("Examples:\n  viewcount "), std::string::npos) << words[0];
  }
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Exit({"--version"}), ExitCode::kOk);
  EXPECT_EQ(::testing::internal::GetCapturedStdout().rfind("viewcount ", 0), 0u);
}

}  // namespace
}  // namespace viewcount::cli
