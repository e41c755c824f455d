// Converts the rule for agents of a site between its settings and viewcount.v1.Site. These are templates, so this
// folder needs no Protobuf.
#pragma once

#include "service/sites/agent_rule.h"

namespace viewcount {

// Returns the rule's settings of the message, which is a viewcount.v1.Site. Thread-safe.
template <typename SiteMessage>
AgentRuleSettings AgentSettingsOf(const SiteMessage& message) {
  return {.bots = {message.bot_agents().begin(), message.bot_agents().end()},
          .people = {message.person_agents().begin(), message.person_agents().end()}};
}

// Sets the rule's fields of the message, a viewcount.v1.Site. Thread-safe.
template <typename SiteMessage>
void FillAgents(const AgentRuleSettings& settings, SiteMessage& message) {
  message.mutable_bot_agents()->Assign(settings.bots.begin(), settings.bots.end());
  message.mutable_person_agents()->Assign(settings.people.begin(), settings.people.end());
}

}  // namespace viewcount
