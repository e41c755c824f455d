#include "service/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "service/config/settings.h"
#include "tests/unit/config/config_fixture.h"

namespace viewcount {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(ConfigTest, NothingGivenMeansTheDefaults) {
  Set("XDG_STATE_HOME", "/state");
  const auto config = Read({});
  EXPECT_EQ(config.data_dir, "/state/viewcount");
  EXPECT_EQ(config.grpc_address, "127.0.0.1:7400");
  EXPECT_EQ(config.http_address, "127.0.0.1:8080");
  EXPECT_EQ(config.admin_address, "127.0.0.1:9464");
  EXPECT_EQ(config.redis, "embedded");
  EXPECT_EQ(config.flush_interval, std::chrono::seconds(1));
  EXPECT_EQ(config.lanes, 1u);
  EXPECT_EQ(config.journal_budget_bytes, uint64_t{8} << 30);
  EXPECT_EQ(config.journal_retention, std::chrono::minutes(10));
  EXPECT_THAT(config.sites, ElementsAre());
  EXPECT_EQ(config.log_format, LogFormat::kText);
  EXPECT_EQ(config.log_level, "info");
}

TEST_F(ConfigTest, DataDirectoryFollowsTheSystem) {
  Set("HOME", "/home/editor");
  EXPECT_EQ(Read({}).data_dir, geteuid() == 0 ? "/var/lib/viewcount" : "/home/editor/.local/state/viewcount");
  Set("XDG_STATE_HOME", "relative");
  EXPECT_THAT(Read({}).data_dir, Not(HasSubstr("relative")));
  Set("XDG_STATE_HOME", "/state");
  EXPECT_EQ(Read({}).data_dir, "/state/viewcount");
  Set("STATE_DIRECTORY", "/var/lib/one:/var/lib/two");
  EXPECT_EQ(Read({}).data_dir, "/var/lib/one");
  EXPECT_EQ(Read({"--data-dir", "/given/../here"}).data_dir, "/here");
}

TEST_F(ConfigTest, DurationsTakeUnits) {
  EXPECT_EQ(Read({"--flush-interval", "500ms"}).flush_interval.count(), 500);
  EXPECT_EQ(Read({"--flush-interval=10s"}).flush_interval.count(), 10'000);
  EXPECT_EQ(Read({"--flush-interval", "1m"}).flush_interval.count(), 60'000);
  EXPECT_EQ(Read({}).shutdown_delay.count(), 0);
  EXPECT_EQ(Read({"--shutdown-delay", "2s"}).shutdown_delay.count(), 2'000);
}

TEST_F(ConfigTest, SizesTakeUnits) {
  EXPECT_EQ(Read({"--journal-budget", "64MiB"}).journal_budget_bytes, uint64_t{64} << 20);
  EXPECT_EQ(Read({"--journal-budget=100GiB"}).journal_budget_bytes, uint64_t{100} << 30);
  EXPECT_EQ(Read({"--journal-retention=1h"}).journal_retention, std::chrono::hours(1));
  EXPECT_EQ(Read({"--journal-retention", "0s"}).journal_retention.count(), 0);
}

TEST_F(ConfigTest, SitesAreCollectedOnceEach) {
  EXPECT_THAT(Read({"--site", "a", "--site=b", "--site", "a"}).sites, ElementsAre("a", "b"));
  Set("VIEWCOUNT_SITE", "c,d");
  EXPECT_THAT(Read({}).sites, ElementsAre("c", "d"));
}

TEST_F(ConfigTest, ChecksOfRedisAreWaivedByName) {
  EXPECT_FALSE(Read({}).redis_waivers.aof_rewrite);
  const Config one = Read({"--redis-waive", "persistence"});
  EXPECT_TRUE(one.redis_waivers.persistence);
  EXPECT_FALSE(one.redis_waivers.aof_rewrite);
  const Config both = Read({"--redis-waive=aof-rewrite", "--redis-waive=persistence"});
  EXPECT_TRUE(both.redis_waivers.persistence && both.redis_waivers.aof_rewrite);
  EXPECT_THAT(Describe(both), HasSubstr("redis-waive = [\"aof-rewrite\", \"persistence\"]\n"));
}

TEST_F(ConfigTest, WrongValuesAreRefusedWithWhatIsAllowed) {
  struct Case {
    std::string flag;
    std::vector<std::string> values;
    std::string allowed;
  };
  const std::vector<Case> cases = {
      {"grpc-address", {"7400", ":7400", "h:65536", "::1:7400", "h:1x"}, "must be host:port"},
      {"http-address", {"x"}, "must be host:port"},
      {"admin-address", {"x"}, "must be host:port"},
      {"backend-address", {"x", "None"}, "must be host:port"},
      {"client-address-header", {"Host", "X-Forwarded"}, "must be one of X-Forwarded-For, X-Real-IP"},
      {"tls-cert", {}, "must be a path"},
      {"tls-key", {}, "must be a path"},
      {"demo-dir", {}, "must be a path"},
      {"alert-private-addresses", {"localhost", "10.0.0.0/33", "x"}, "must be IP addresses or ranges"},
      {"trusted-backends", {"localhost", "10.0.0.0/33", "::1/"}, "must be IP addresses or ranges"},
      {"admin-host",
       {"http://a.example", "a.example:80", "a b", ".a", "\xc3\xa1"},
       "must be a host name without a port"},
      {"trusted-proxies", {"10.0.0", "x"}, "must be IP addresses or ranges"},
      {"address-views-per-second", {"-1", "x", "1.5", "1000000001"}, "from 0 to 1000000000"},
      {"new-articles-per-minute", {"-1", "x", "1.5", "1000000001"}, "from 0 to 1000000000"},
      {"flush-interval", {"1", "s", "9ms", "61s", "2m", "1h", "-1s", "1.5s", "99999999999s"}, "from 10ms to 60s"},
      {"journal-budget", {"64", "63MiB", "8GB", "MiB", "1.5GiB", "-1GiB", "1048577GiB", "8 GiB"}, "from 64MiB on"},
      {"journal-retention", {"10", "m", "-1m", "1.5h", "1w"}, "such as 10m"},
      {"shutdown-delay", {"2", "s", "-1s", "1.5s", "301s", "6m"}, "from 0s to 5m"},
      {"lanes", {"0", "65", "x", "1x", "1.0", "4294967297"}, "from 1 to 64"},
      {"site", {"a b", "-a", "a,b", std::string(65, 'a')}, "must be 1 to 64 of a-z"},
      {"redis", {"localhost:6379", "redis://", "Embedded"}, "redis://[user:password@]host:port/database"},
      {"redis-waive", {"AOF-rewrite", "eviction"}, "must be aof-rewrite or persistence"},
      {"log-format", {"xml"}, "must be text or json"},
      {"log-level", {"off", "INFO"}, "must be trace, debug, info, warn or error"},
      {"data-dir", {"a\nb", "\xff"}, "must be a path"},
  };
  ASSERT_EQ(cases.size(), Settings().size());
  for (const auto& [flag, values, allowed] : cases) {
    EXPECT_THAT(ErrorOf({"--" + flag + "="}), HasSubstr("--" + flag));
    for (const auto& value : values) {
      EXPECT_THAT(ErrorOf({"--" + flag + "=" + value}),
                  AllOf(HasSubstr("--" + flag + ": "), HasSubstr(allowed), HasSubstr("viewcountd --help")))
          << value;
    }
  }
}

TEST_F(ConfigTest, CertificateAndKeyGoTogether) {
  EXPECT_THAT(ErrorOf({"--tls-cert", "c.pem"}), HasSubstr("tls-cert and tls-key go together"));
  EXPECT_THAT(ErrorOf({"--tls-key", "k.pem"}), HasSubstr("tls-cert and tls-key go together"));
  const Config config = Read({"--tls-cert", "c.pem", "--tls-key", "k.pem"});
  EXPECT_EQ(config.tls_cert, "c.pem");
  EXPECT_EQ(config.tls_key, "k.pem");
}

TEST_F(ConfigTest, WrongValueNamesItsSource) {
  Set("VIEWCOUNT_LANES", "many");
  EXPECT_THAT(ErrorOf({}), HasSubstr("VIEWCOUNT_LANES: must be"));
  Set("VIEWCOUNT_LANES", "");
  const auto path = File("lanes = many\n");
  EXPECT_THAT(ErrorOf({"--config", path}), HasSubstr("lanes in " + path + ": must be"));
}

TEST_F(ConfigTest, WrongRedisUrlNeverShowsItsPassword) {
  EXPECT_THAT(ErrorOf({"--redis", "redis://u:secret@host:x"}), Not(HasSubstr("secret")));
  EXPECT_THAT(ErrorOf({"--redis", "rediz://u:secret@host"}), Not(HasSubstr("secret")));
}

TEST_F(ConfigTest, TopologiesThatAreNotBuiltSaySo) {
  EXPECT_THAT(ErrorOf({"--redis", "redis+sentinel://h:1,h:2/name"}), HasSubstr("not built yet"));
  EXPECT_THAT(ErrorOf({"--redis", "redis+cluster://h:1"}), HasSubstr("not built yet"));
}

TEST_F(ConfigTest, UnknownFlagIsRefusedWithTheNearest) {
  EXPECT_THAT(ErrorOf({"--lane", "2"}), HasSubstr("unknown flag --lane; did you mean --lanes?"));
  EXPECT_THAT(ErrorOf({"--flush_interval=1s"}), HasSubstr("did you mean --flush-interval?"));
  EXPECT_THAT(ErrorOf({"--chekc-config"}), HasSubstr("did you mean --check-config?"));
  EXPECT_THAT(ErrorOf({"--colour"}), AllOf(HasSubstr("unknown flag --colour"), Not(HasSubstr("did you mean"))));
  EXPECT_THAT(ErrorOf({"start"}), HasSubstr("unexpected argument \"start\""));
  EXPECT_THAT(ErrorOf({"--site", "a", "b"}), HasSubstr("unexpected argument \"b\""));
}

TEST_F(ConfigTest, FlagWithoutValueIsRefused) {
  EXPECT_THAT(ErrorOf({"--lanes"}), HasSubstr("--lanes"));
  EXPECT_THAT(ErrorOf({"--config", "a", "--config", "b"}), HasSubstr("--config"));
}

TEST_F(ConfigTest, UnknownKeyInTheFileIsRefusedWithTheNearest) {
  EXPECT_THAT(ErrorOf({"--config", File("lanes = 2\ngrpc-adress = \"h:1\"\n")}),
              HasSubstr("unknown key \"grpc-adress\"; did you mean grpc-address?"));
  EXPECT_THAT(ErrorOf({"--config", File("[server]\nlanes = 2\n")}), HasSubstr("unknown section [server]"));
  EXPECT_THAT(ErrorOf({"--config", File("check-config = true\n")}), HasSubstr("unknown key \"check-config\""));
}

TEST_F(ConfigTest, FileTakesCommentsQuotesAndLists) {
  const auto config = Read({"--config", File("# where\n"
                                             "data-dir = \"/a b/c\"  # quoted\n"
                                             "\n"
                                             "lanes=7\n"
                                             "site = [ \"x\", 'y' ]\n"
                                             "log-format = json\n")});
  EXPECT_EQ(config.data_dir, "/a b/c");
  EXPECT_EQ(config.lanes, 7u);
  EXPECT_THAT(config.sites, ElementsAre("x", "y"));
  EXPECT_EQ(config.log_format, LogFormat::kJson);
}

TEST_F(ConfigTest, FileThatCannotBeReadIsNamed) {
  EXPECT_THAT(ErrorOf({"--config", "/nowhere/file"}), HasSubstr("cannot read /nowhere/file: No such file"));
  EXPECT_THAT(ErrorOf({"--config", directory_.path()}), HasSubstr("cannot read " + directory_.path()));
}

TEST_F(ConfigTest, EmptyFileIsFine) { EXPECT_EQ(Read({"--config", File("")}).lanes, 1u); }

TEST_F(ConfigTest, UnknownVariablesAreOnlyWarnedOf) {
  Set("VIEWCOUNT_SERVICE_HOST", "10.0.0.1");
  Set("VIEWCOUNT_LANE", "4");
  Set("VIEWCOUNT_SERVER", "10.0.0.1:7400");
  const auto outcome = Run({});
  ASSERT_TRUE(outcome.parsed.config.has_value());
  EXPECT_EQ(outcome.parsed.config->lanes, 1u);
  EXPECT_THAT(outcome.parsed.warnings,
              testing::UnorderedElementsAre(HasSubstr("VIEWCOUNT_SERVICE_HOST"),
                                            HasSubstr("VIEWCOUNT_LANE; did you mean VIEWCOUNT_LANES?")));
}

TEST_F(ConfigTest, OnePortForTwoServersIsRefused) {
  EXPECT_THAT(ErrorOf({"--http-address", "127.0.0.1:9464"}),
              HasSubstr("http-address and admin-address are both 127.0.0.1:9464"));
  Read({"--http-address", "127.0.0.1:0", "--admin-address", "127.0.0.1:0"});
}

TEST_F(ConfigTest, CheckedSettingsAreAFileThatGivesTheSameSettings) {
  const auto checked = Run({"--check-config", "--data-dir", "/a b", "--site", "x", "--site", "y", "--flush-interval",
                            "1m", "--log-format", "json", "--redis", "redis+unix:///run/redis.sock", "--lanes", "9",
                            "--journal-budget", "2GiB", "--journal-retention", "2h"});
  EXPECT_FALSE(checked.parsed.config.has_value());
  EXPECT_EQ(checked.parsed.exit_code, 0);
  EXPECT_EQ(checked.error, "");
  EXPECT_THAT(checked.out,
              AllOf(HasSubstr("data-dir = \"/a b\"\n"), HasSubstr("flush-interval = \"60000ms\"\n"),
                    HasSubstr("site = [\"x\", \"y\"]\n"), HasSubstr("lanes = 9\n"),
                    HasSubstr("journal-budget = \"2048MiB\"\n"), HasSubstr("journal-retention = \"7200000ms\"\n")));
  EXPECT_EQ(Describe(Read({"--config", File(checked.out)})), checked.out);
  const auto defaults = Run({"--check-config"});
  EXPECT_EQ(Describe(Read({"--config", File(defaults.out)})), defaults.out);
}

TEST_F(ConfigTest, CheckedSettingsMaskThePassword) {
  const auto checked = Run({"--check-config", "--redis", "redis://u:secret@h:1/2"});
  EXPECT_THAT(checked.out, HasSubstr("redis = \"redis://u:***@h:1/2\"\n"));
}

TEST_F(ConfigTest, CheckOfWrongSettingsFails) {
  EXPECT_THAT(ErrorOf({"--check-config", "--lanes", "0"}), HasSubstr("--lanes: must be"));
}

TEST_F(ConfigTest, HelpNamesEverySettingAndShowsExamples) {
  const auto help = Run({"--help"});
  EXPECT_EQ(help.parsed.exit_code, 0);
  EXPECT_FALSE(help.parsed.config.has_value());
  for (const auto& setting : Settings()) EXPECT_THAT(help.out, HasSubstr(std::string("--") + setting.key));
  for (const char* word : {"--config", "--check-config", "--version", "Examples:", "VIEWCOUNT_GRPC_ADDRESS"}) {
    EXPECT_THAT(help.out, HasSubstr(word));
  }
  const Config defaults;
  for (const auto& value : {defaults.grpc_address, defaults.http_address, defaults.admin_address, defaults.redis,
                            defaults.log_level, std::to_string(defaults.lanes)}) {
    EXPECT_THAT(std::regex_replace(help.out, std::regex("\n *"), " "), HasSubstr("Default: " + value + "."));
  }
  std::istringstream lines(help.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
}

TEST_F(ConfigTest, VersionIsOneLine) {
  const auto version = Run({"--version"});
  EXPECT_EQ(version.parsed.exit_code, 0);
  EXPECT_THAT(version.out, testing::MatchesRegex("viewcountd [0-9.]+ \\([^)\n]+\\)\n"));
}

}  // namespace
}  // namespace viewcount
