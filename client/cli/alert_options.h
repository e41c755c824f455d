// The options of the commands alert put, list, delete and test.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "viewcount/v1/alerts.pb.h"

namespace CLI {
class App;
}

namespace viewcount::cli {

// These are plain values. A file of `-` is standard input.
struct AlertPutCommand {
  std::string name;
  // At most one of these is given; none means the whole site.
  std::string section = {};
  std::string article = {};
  std::string address = {};
  // 0 for one hour.
  uint32_t hours = 0;
  // Exactly one of these is given.
  std::optional<uint64_t> above = {};
  std::optional<uint64_t> below = {};
  std::optional<double> above_usual = {};
  std::optional<double> below_usual = {};
  v1::DigestPeriod digest = v1::DIGEST_PERIOD_UNSPECIFIED;
  // The hour of a digest.
  uint32_t at = 8;
  // 0 for the service's default.
  uint64_t minimum_usual = 0;
  // Empty for never.
  std::string repeat_every = {};
  // At most one of these is given; none keeps the present address.
  std::string webhook = {};
  std::string webhook_file = {};
  // Empty keeps the present secret.
  std::string secret_file = {};
  v1::AlertFormat format = v1::ALERT_FORMAT_JSON;
  std::string chat = {};
  v1::AlertLanguage language = v1::ALERT_LANGUAGE_ENGLISH;
};
struct AlertListCommand {};
struct AlertDeleteCommand {
  std::string name;
};
struct AlertTestCommand {
  std::string name;
};

// The examples in the help of alert put.
extern const char* const kAlertPutExamples;

// Adds the options to the command. `options` must outlive it.
void AddAlertPutOptions(CLI::App& command, AlertPutCommand& options);
// Adds the argument NAME.
void AddAlertName(CLI::App& command, std::string& name);

}  // namespace viewcount::cli
