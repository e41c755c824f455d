#include "client/cli/site_rules.h"

#include <utility>

#include "service/addresses/rule_message.h"
#include "service/sites/agent_message.h"

namespace viewcount::cli {

absl::StatusOr<LogRules> LogRulesOf(const v1::Site& site, const std::vector<std::string>& hosts) {
  auto rule = ArticleRule::Make(RuleSettingsOf(site));
  if (!rule.ok()) return rule.status();
  const std::vector<std::string> ranges(site.excluded_addresses().begin(), site.excluded_addresses().end());
  auto excluded = AddressRanges::Parse(ranges);
  if (!excluded.ok()) return excluded.status();
  auto agents = AgentRule::Make(AgentSettingsOf(site));
  if (!agents.ok()) return agents.status();
  LogRules rules{*std::move(rule), *std::move(excluded), *std::move(agents), {}};
  for (const auto& host : hosts) rules.hosts.push_back(HostName(host));
  return rules;
}

}  // namespace viewcount::cli
