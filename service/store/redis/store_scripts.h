// The scripts that read and write shards, put together from the texts in scripts/.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/store/redis/script.h"

namespace viewcount {

// Changes the text of the script with that name: for tests that make commands fail.
using ScriptEdit = std::function<std::string(std::string_view name, std::string text)>;

// Immutable.
struct StoreScripts {
  // Without `edit` the texts stay as they are.
  explicit StoreScripts(const ScriptEdit& edit = {});

  const Script apply;
  const Script claim;
  const Script remove;
  const Script repair;
  const Script restore;
  const Script viewers;
};

// Every script by its name, with its whole text; `open` of the preflight among them.
std::vector<std::pair<std::string, std::string>> StoreScriptTexts();

}  // namespace viewcount
