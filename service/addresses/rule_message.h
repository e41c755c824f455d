// Converts the rule of a site between its settings and viewcount.v1.Site. These are templates, so this folder needs no
// Protobuf.
#pragma once

#include "service/addresses/article_rule.h"

namespace viewcount {

// Returns the rule's settings of the message, which is a viewcount.v1.Site. Thread-safe.
template <typename SiteMessage>
ArticleRuleSettings RuleSettingsOf(const SiteMessage& message) {
  const auto list = [](const auto& field) { return std::vector<std::string>(field.begin(), field.end()); };
  return {.parameters = list(message.article_parameters()),
          .drop_query = message.drop_query(),
          .fold_case = message.fold_case(),
          .strip_trailing_slash = message.strip_trailing_slash(),
          .index_names = list(message.index_names()),
          .excluded_paths = list(message.excluded_paths()),
          .count_well_known_paths = message.count_well_known_paths(),
          .static_extensions = list(message.static_extensions()),
          .page_extensions = list(message.page_extensions())};
}

// Sets the rule's fields of the message, a viewcount.v1.Site. Thread-safe.
template <typename SiteMessage>
void FillRule(const ArticleRuleSettings& settings, SiteMessage& message) {
  const auto assign = [](const std::vector<std::string>& list, auto* field) {
    field->Assign(list.begin(), list.end());
  };
  assign(settings.parameters, message.mutable_article_parameters());
  message.set_drop_query(settings.drop_query);
  message.set_fold_case(settings.fold_case);
  message.set_strip_trailing_slash(settings.strip_trailing_slash);
  assign(settings.index_names, message.mutable_index_names());
  assign(settings.excluded_paths, message.mutable_excluded_paths());
  message.set_count_well_known_paths(settings.count_well_known_paths);
  assign(settings.static_extensions, message.mutable_static_extensions());
  assign(settings.page_extensions, message.mutable_page_extensions());
}

}  // namespace viewcount
