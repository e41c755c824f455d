// Tests settings that are read again while the service runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "service/config/settings.h"
#include "tests/unit/config/config_fixture.h"

namespace viewcount {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReloadTest : public ConfigTest {
 protected:
  // Start() begins with `flags` and with a file of this text.
  ReloadTest() { arguments_ = {"viewcountd", "--config"}; }
  void Start(const std::string& text, const std::vector<std::string>& flags = {}) {
    path_ = File(text);
    flags_ = flags;
    arguments_.push_back(path_.c_str());
    for (const auto& flag : flags_) arguments_.push_back(flag.c_str());
    running_ = ParseConfig(static_cast<int>(arguments_.size()), arguments_.data());
    ASSERT_TRUE(running_.config.has_value());
  }
  absl::StatusOr<ConfigUpdate> Reload(const std::string& text) {
    std::ofstream(path_) << text;
    return ReloadConfig(static_cast<int>(arguments_.size()), arguments_.data(), running_);
  }

  std::string path_;
  std::vector<std::string> flags_;
  std::vector<const char*> arguments_;
  ParsedConfig running_;
};

TEST_F(ReloadTest, WhatCanBeTakenOverIsAndTheRestStays) {
  Start("log-level = \"warn\"\nlanes = 2\n");
  auto update = Reload("log-level = \"debug\"\nlanes = 4\naddress-views-per-second = 7\n");
  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_THAT(update->changed, ElementsAre("address-views-per-second", "log-level"));
  EXPECT_THAT(update->at_next_start, ElementsAre("lanes"));
  EXPECT_EQ(update->parsed.config->log_level, "debug");
  EXPECT_EQ(update->parsed.config->address_views_per_second, 7u);
  EXPECT_EQ(update->parsed.config->lanes, 2u);
  // The file goes back to the earlier values, and is compared with the settings that run now.
  running_ = std::move(update->parsed);
  update = Reload("lanes = 2\n");
  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_THAT(update->changed, ElementsAre("address-views-per-second", "log-level"));
  EXPECT_THAT(update->at_next_start, IsEmpty());
  EXPECT_EQ(update->parsed.config->log_level, Config().log_level);
  EXPECT_EQ(update->parsed.config->address_views_per_second, Config().address_views_per_second);
}

TEST_F(ReloadTest, FlagsAndEnvironmentGoBeforeTheFileAsAtTheStart) {
  Set("VIEWCOUNT_TRUSTED_PROXIES", "10.0.0.1");
  Start("", {"--log-level", "error"});
  const auto update = Reload("log-level = \"debug\"\ntrusted-proxies = \"10.0.0.9\"\n");
  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_THAT(update->changed, IsEmpty());
  EXPECT_EQ(update->parsed.config->log_level, "error");
  EXPECT_THAT(update->parsed.config->trusted_proxies, ElementsAre("10.0.0.1"));
}

TEST_F(ReloadTest, AChangedPasswordIsNoticed) {
  Start("redis = \"redis://:one@h:1/0\"\n");
  const auto update = Reload("redis = \"redis://:two@h:1/0\"\n");
  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_THAT(update->at_next_start, ElementsAre("redis"));
  EXPECT_THAT(update->parsed.config->redis, HasSubstr("one"));
}

TEST_F(ReloadTest, WrongSettingsAreAnErrorThatNamesThem) {
  Start("");
  EXPECT_THAT(std::string(Reload("log-level = \"loud\"\n").status().message()), HasSubstr("log-level"));
  EXPECT_THAT(std::string(Reload("no-such-key = 1\n").status().message()), HasSubstr("no-such-key"));
  EXPECT_THAT(std::string(Reload("tls-cert = \"/c\"\n").status().message()), HasSubstr("go together"));
  EXPECT_TRUE(Reload("").ok());
}

}  // namespace
}  // namespace viewcount
