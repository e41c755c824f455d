// An option with one of several names as its value.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace viewcount::cli {

// Adds and returns the option `name`, whose value is one of the names of `choices`. `value` must outlive the command.
template <typename Value>
CLI::Option* AddChoice(CLI::App& command, const char* name, Value& value, const char* help,
                       const std::map<std::string, Value>& choices) {
  std::string names;
  for (const auto& choice : choices) names += (names.empty() ? "" : "|") + choice.first;
  return command.add_option(name, value, help)
      ->transform(CLI::CheckedTransformer(choices).description(""))
      ->type_name(names);
}

}  // namespace viewcount::cli
