// Runs ParseConfig() with flags, an environment and a file. The machine's own settings do not affect the result.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "service/config/config.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {

class ConfigTest : public testing::Test {
 protected:
  struct Outcome {
    ParsedConfig parsed;
    std::string out;
    std::string error;
  };

  ConfigTest() {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string text(*entry);
      const std::string name = text.substr(0, text.find('='));
      if (name.starts_with("VIEWCOUNT_") || name.starts_with("XDG_") || name == "STATE_DIRECTORY" || name == "HOME") {
        saved_[name] = text.substr(name.size() + 1);
      }
    }
    for (const auto& [name, value] : saved_) unsetenv(name.c_str());
  }
  ~ConfigTest() override {
    for (const auto& name : set_) unsetenv(name.c_str());
    for (const auto& [name, value] : saved_) setenv(name.c_str(), value.c_str(), 1);
  }

  void Set(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }

  // Writes a file with this text and returns its path.
  std::string File(const std::string& text) {
    const std::string path = directory_.path() + "/viewcount.toml";
    std::ofstream(path) << text;
    return path;
  }

  static Outcome Run(const std::vector<std::string>& flags) {
    std::vector<const char*> arguments = {"viewcountd"};
    for (const auto& flag : flags) arguments.push_back(flag.c_str());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.parsed = ParseConfig(static_cast<int>(arguments.size()), arguments.data());
    outcome.out = testing::internal::GetCapturedStdout();
    outcome.error = testing::internal::GetCapturedStderr();
    return outcome;
  }

  // Returns the settings. The test fails if the flags are refused.
  static Config Read(const std::vector<std::string>& flags) {
    const auto outcome = Run(flags);
    EXPECT_TRUE(outcome.parsed.config.has_value()) << outcome.error;
    EXPECT_EQ(outcome.out + outcome.error, "");
    return outcome.parsed.config.value_or(Config());
  }

  // Returns the error message with which these flags are refused.
  static std::string ErrorOf(const std::vector<std::string>& flags) {
    const auto outcome = Run(flags);
    EXPECT_FALSE(outcome.parsed.config.has_value());
    EXPECT_EQ(outcome.parsed.exit_code, 2);
    EXPECT_EQ(outcome.out, "");
    return outcome.error;
  }

  TemporaryDirectory directory_;

 private:
  std::map<std::string, std::string> saved_;
  std::vector<std::string> set_;
};

}  // namespace viewcount
