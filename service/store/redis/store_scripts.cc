#include "service/store/redis/store_scripts.h"

#include <fmt/format.h>

#include <utility>

#include "service/base/check.h"
#include "service/store/redis/apply_lua.h"
#include "service/store/redis/claim_lua.h"
#include "service/store/redis/counts_lua.h"
#include "service/store/redis/forget_lua.h"
#include "service/store/redis/open_lua.h"
#include "service/store/redis/permissions_lua.h"
#include "service/store/redis/ranking_lua.h"
#include "service/store/redis/remove_lua.h"
#include "service/store/redis/repair_lua.h"
#include "service/store/redis/restore_lua.h"
#include "service/store/redis/swap_lua.h"
#include "service/store/redis/viewers_lua.h"

namespace viewcount {
namespace {

std::string TextOf(std::string_view name) {
  if (name == "apply") return fmt::format("{}{}{}{}", kPermissionsLua, kCountsLua, kRankingLua, kApplyLua);
  if (name == "claim") return kClaimLua;
  if (name == "forget") return fmt::format("{}{}{}", kPermissionsLua, kCountsLua, kForgetLua);
  if (name == "open") return kOpenLua;
  if (name == "remove") return fmt::format("{}{}", kPermissionsLua, kRemoveLua);
  if (name == "repair") return fmt::format("{}{}{}{}", kPermissionsLua, kCountsLua, kRankingLua, kRepairLua);
  if (name == "restore") return fmt::format("{}{}{}{}", kPermissionsLua, kCountsLua, kRankingLua, kRestoreLua);
  if (name == "swap") return kSwapLua;
  if (name == "viewers") return fmt::format("{}{}", kPermissionsLua, kViewersLua);
  VIEWCOUNT_CHECK(false);
}

Script ScriptOf(std::string_view name, const ScriptEdit& edit) {
  std::string text = TextOf(name);
  return Script(edit ? edit(name, std::move(text)) : std::move(text));
}

}  // namespace

StoreScripts::StoreScripts(const ScriptEdit& edit)
    : apply(ScriptOf("apply", edit)),
      claim(ScriptOf("claim", edit)),
      forget(ScriptOf("forget", edit)),
      remove(ScriptOf("remove", edit)),
      repair(ScriptOf("repair", edit)),
      restore(ScriptOf("restore", edit)),
      swap(ScriptOf("swap", edit)),
      viewers(ScriptOf("viewers", edit)) {}

std::vector<std::pair<std::string, std::string>> StoreScriptTexts() {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const std::string_view name :
       {"apply", "claim", "forget", "open", "remove", "repair", "restore", "swap", "viewers"}) {
    texts.emplace_back(name, TextOf(name));
  }
  return texts;
}

}  // namespace viewcount
