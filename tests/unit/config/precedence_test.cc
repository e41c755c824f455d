// Tests the precedence of flags over environment over file over defaults, for every setting and every pair of sources.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "service/config/settings.h"
#include "tests/unit/config/config_fixture.h"

namespace viewcount {
namespace {

using testing::ElementsAre;

struct Case {
  const char* key;
  // The three values differ from each other and from the default.
  const char* flag;
  const char* environment;
  const char* file;
};

constexpr std::array kCases = {
    Case{"data-dir", "/d/flag", "/d/environment", "/d/file"},
    Case{"grpc-address", "h:1", "h:2", "h:3"},
    Case{"http-address", "h:1", "h:2", "h:3"},
    Case{"admin-address", "h:1", "h:2", "h:3"},
    Case{"admin-host", "a.example", "b.example", "c.example"},
    Case{"backend-address", "h:1", "none", "h:3"},
    Case{"client-address-header", "X-Real-IP", "Forwarded", "True-Client-IP"},
    Case{"trusted-backends", "10.0.0.1", "10.0.0.2", "10.0.0.3"},
    Case{"trusted-proxies", "10.0.0.1", "10.0.0.2", "10.0.0.3"},
    Case{"address-views-per-second", "0", "2", "3"},
    Case{"new-articles-per-minute", "0", "2", "3"},
    Case{"alert-private-addresses", "10.0.0.1", "10.0.0.2", "10.0.0.3"},
    Case{"demo-dir", "/d/flag", "/d/environment", "/d/file"},
    Case{"shutdown-delay", "1s", "2s", "500ms"},
    Case{"redis", "redis://h:1", "redis://h:2", "redis+unix:///s"},
    Case{"flush-interval", "20ms", "2s", "1m"},
    Case{"lanes", "2", "3", "4"},
    Case{"journal-budget", "64MiB", "2GiB", "3GiB"},
    Case{"journal-retention", "1s", "2m", "3h"},
    Case{"site", "flag", "environment", "file"},
    Case{"log-level", "debug", "warn", "error"},
};

class PrecedenceTest : public ConfigTest {
 protected:
  // Takes one value per source, highest precedence first. An empty value means that the source does not set the key.
  Config With(const std::string& key, const std::string& flag, const std::string& environment,
              const std::string& file) {
    std::vector<std::string> flags;
    if (!flag.empty()) flags = {"--" + key, flag};
    if (!file.empty()) flags.insert(flags.end(), {"--config", File(key + " = \"" + file + "\"\n")});
    Set(EnvironmentNameOf(key), environment);
    const auto config = Read(flags);
    Set(EnvironmentNameOf(key), "");
    return config;
  }
};

TEST_F(PrecedenceTest, EveryPairOfSourcesForEverySetting) {
  // Four settings are tested elsewhere, below and in config_test.cc. log-format and redis-waive have only two values;
  // tls-cert and tls-key must be set together.
  ASSERT_EQ(kCases.size() + 4, Settings().size());
  for (const auto& [key, flag, environment, file] : kCases) {
    SCOPED_TRACE(key);
    const std::string none;
    const std::string from_default = Describe(With(key, none, none, none));
    const std::string from_flag = Describe(With(key, flag, none, none));
    const std::string from_environment = Describe(With(key, none, environment, none));
    const std::string from_file = Describe(With(key, none, none, file));
    EXPECT_NE(from_default, from_flag);
    EXPECT_NE(from_default, from_environment);
    EXPECT_NE(from_default, from_file);
    EXPECT_NE(from_flag, from_environment);
    EXPECT_NE(from_flag, from_file);
    EXPECT_NE(from_environment, from_file);
    EXPECT_EQ(Describe(With(key, flag, environment, none)), from_flag);
    EXPECT_EQ(Describe(With(key, flag, none, file)), from_flag);
    EXPECT_EQ(Describe(With(key, none, environment, file)), from_environment);
    EXPECT_EQ(Describe(With(key, flag, environment, file)), from_flag);
  }
}

TEST_F(PrecedenceTest, LogFormatFollowsTheSameOrder) {
  EXPECT_EQ(With("log-format", "", "", "json").log_format, LogFormat::kJson);
  EXPECT_EQ(With("log-format", "", "text", "json").log_format, LogFormat::kText);
  EXPECT_EQ(With("log-format", "json", "text", "text").log_format, LogFormat::kJson);
  EXPECT_EQ(With("log-format", "", "", "").log_format, LogFormat::kText);
}

TEST_F(PrecedenceTest, WaiversFollowTheSameOrder) {
  const auto waived = [&](const std::string& flag, const std::string& environment, const std::string& file) {
    return NamesOf(With("redis-waive", flag, environment, file).redis_waivers);
  };
  EXPECT_THAT(waived("", "", "persistence"), ElementsAre("persistence"));
  EXPECT_THAT(waived("", "aof-rewrite", "persistence"), ElementsAre("aof-rewrite"));
  EXPECT_THAT(waived("persistence", "aof-rewrite", "aof-rewrite"), ElementsAre("persistence"));
  EXPECT_THAT(waived("", "persistence,aof-rewrite", ""), ElementsAre("aof-rewrite", "persistence"));
}

TEST_F(PrecedenceTest, SettingsOfDifferentSourcesAreCombined) {
  Set("VIEWCOUNT_LANES", "3");
  const auto config = Read({"--log-level", "warn", "--config", File("flush-interval = \"2s\"\n")});
  EXPECT_EQ(config.lanes, 3u);
  EXPECT_EQ(config.log_level, "warn");
  EXPECT_EQ(config.flush_interval, std::chrono::seconds(2));
}

TEST_F(PrecedenceTest, SitesOfAHigherSourceReplaceThoseOfALower) {
  Set("VIEWCOUNT_SITE", "a,b");
  EXPECT_THAT(Read({"--config", File("site = [\"c\", \"d\"]\n")}).sites, ElementsAre("a", "b"));
  EXPECT_THAT(Read({"--site", "e"}).sites, ElementsAre("e"));
}

TEST_F(PrecedenceTest, FileIsNamedByFlagBeforeEnvironment) {
  Set("VIEWCOUNT_CONFIG", "/nowhere");
  EXPECT_EQ(Read({"--config", File("lanes = 5\n")}).lanes, 5u);
  Set("VIEWCOUNT_CONFIG", File("lanes = 6\n"));
  EXPECT_EQ(Read({}).lanes, 6u);
}

}  // namespace
}  // namespace viewcount
