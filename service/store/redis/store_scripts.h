// The scripts that read and write shards, composed of the texts in scripts/.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/store/redis/script.h"

namespace viewcount {

// Changes the text of the script with that name. Used by tests, to make commands fail.
using ScriptEdit = std::function<std::string(std::string_view name, std::string text)>;

// Immutable, so thread-safe.
struct StoreScripts {
  // Without `edit` the texts stay unchanged.
  explicit StoreScripts(const ScriptEdit& edit = {});

  const Script apply;
  const Script claim;
  const Script forget;
  const Script remove;
  const Script repair;
  const Script restore;
  const Script swap;
  const Script viewers;
};

// Returns the name and the whole text of every script, including `open`, which the preflight uses.
std::vector<std::pair<std::string, std::string>> StoreScriptTexts();

}  // namespace viewcount
