// The parameters of a query that name articles: article, address and canonical. Each may occur several times.
#pragma once

#include "service/http/parameters.h"

namespace viewcount {

// Adds the articles that the parameters name to `request`, a GetCountsRequest or a WatchCountsRequest. Thread-safe.
template <typename Request>
void AddAsked(const Parameters& parameters, Request& request) {
  for (std::string& text : parameters.All("article")) request.add_article_ids(std::move(text));
  for (std::string& text : parameters.All("address")) request.add_addresses(std::move(text));
  for (std::string& text : parameters.All("canonical")) request.add_canonical_addresses(std::move(text));
}

}  // namespace viewcount
