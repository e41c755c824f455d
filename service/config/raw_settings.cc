#include "service/config/raw_settings.h"

#include <absl/status/status.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "service/base/log.h"
#include "service/base/unknown_name.h"
#include "service/config/settings.h"

namespace viewcount {
namespace {

// Used by the command line tool, which may share an environment with the service.
constexpr std::string_view kClientVariable = "VIEWCOUNT_SERVER";
constexpr std::string_view kConfigVariable = "VIEWCOUNT_CONFIG";

std::vector<std::string> KnownKeys() {
  std::vector<std::string> keys;
  for (const auto& setting : Settings()) keys.emplace_back(setting.key);
  return keys;
}

std::string Suggestion(std::string_view word, const std::vector<std::string>& known) {
  const auto nearest = NearestOf(word, known);
  return nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
}

absl::Status UnknownArgument(const std::string& argument) {
  if (!argument.starts_with("-")) {
    return absl::InvalidArgumentError(fmt::format("unexpected argument \"{}\"", EscapeForText(argument)));
  }
  std::vector<std::string> known;
  for (const auto& key : KnownKeys()) known.push_back("--" + key);
  known.insert(known.end(), {"--config", "--check-config", "--help", "--version"});
  const std::string flag = argument.substr(0, argument.find('='));
  return absl::InvalidArgumentError(fmt::format("unknown flag {}{}", EscapeForText(flag), Suggestion(flag, known)));
}

std::vector<std::string> SplitAtCommas(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

std::string_view NearestOf(std::string_view word, std::span<const std::string> known) {
  // At most a third of the word may differ. With more differences, a suggestion would be a guess.
  const std::vector<std::string_view> names(known.begin(), known.end());
  return NearestName(word, names, std::max<size_t>(word.size() / 3, 1));
}

absl::StatusOr<CommandLine> ReadCommandLine(int argc, const char* const* argv) {
  // CLI11's own help is not used. The reason is in help.h.
  CLI::App app("", "viewcountd");
  bool version = false, check = false;
  app.add_flag("--version", version);
  app.add_flag("--check-config", check);
  std::vector<std::string> file;
  app.add_option("--config", file)
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  std::map<std::string, std::vector<std::string>> values;
  for (const auto& setting : Settings()) {
    app.add_option(std::string("--") + setting.key, values[setting.key])
        ->type_name(setting.value_name)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  app.allow_extras();

  CommandLine result;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    result.action = CommandLine::Action::kHelp;
    return result;
  } catch (const CLI::Error& error) {
    return absl::InvalidArgumentError(EscapeForText(error.what()));
  }
  if (const auto extras = app.remaining(); !extras.empty()) return UnknownArgument(extras[0]);
  if (file.size() > 1) return absl::InvalidArgumentError("--config is given twice");
  if (check) result.action = CommandLine::Action::kCheckConfig;
  if (version) result.action = CommandLine::Action::kVersion;
  if (!file.empty()) result.config_file = file[0];
  for (auto& [key, given] : values) {
    if (!given.empty()) result.settings[key] = {std::move(given), "--" + key};
  }
  return result;
}

RawSettings ReadEnvironment(std::vector<std::string>& warnings) {
  RawSettings settings;
  std::vector<std::string> names;
  for (const auto& setting : Settings()) {
    names.push_back(EnvironmentNameOf(setting.key));
    const char* value = std::getenv(names.back().c_str());
    if (value == nullptr || value[0] == '\0') continue;
    settings[setting.key] = {setting.repeatable ? SplitAtCommas(value) : std::vector<std::string>{value}, names.back()};
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string name(text.substr(0, text.find('=')));
    if (!name.starts_with("VIEWCOUNT_") || name == kClientVariable || name == kConfigVariable) continue;
    if (std::ranges::find(names, name) != names.end()) continue;
    warnings.push_back(
        fmt::format("ignored the unknown environment variable {}{}", EscapeForText(name), Suggestion(name, names)));
  }
  return settings;
}

absl::StatusOr<RawSettings> ReadConfigFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  // Directories open without an error, so a byte is read to detect them.
  if (!file || (file.peek() == std::ifstream::traits_type::eof() && errno != 0)) {
    return absl::NotFoundError(fmt::format("cannot read {}: {}", EscapeForText(path), std::strerror(errno)));
  }
  std::vector<CLI::ConfigItem> items;
  try {
    items = CLI::ConfigTOML().from_config(file);
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", EscapeForText(path), EscapeForText(error.what())));
  }
  RawSettings settings;
  const auto keys = KnownKeys();
  for (auto& item : items) {
    if (!item.parents.empty()) {
      return absl::InvalidArgumentError(fmt::format("{}: unknown section [{}]; all keys stand outside of sections",
                                                    EscapeForText(path),
                                                    EscapeForText(fmt::format("{}", fmt::join(item.parents, ".")))));
    }
    const std::string& name = item.name;
    if (std::ranges::find(keys, name) == keys.end()) {
      return absl::InvalidArgumentError(
          fmt::format("{}: unknown key \"{}\"{}", EscapeForText(path), EscapeForText(name), Suggestion(name, keys)));
    }
    auto& setting = settings[name];
    setting.source = fmt::format("{} in {}", name, EscapeForText(path));
    setting.values.insert(setting.values.end(), item.inputs.begin(), item.inputs.end());
  }
  return settings;
}

}  // namespace viewcount
