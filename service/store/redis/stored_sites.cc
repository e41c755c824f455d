#include "service/store/redis/stored_sites.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <utility>

namespace viewcount {

std::vector<StoredSite> StoredSitesOf(const Reply& sites, const Reply& aliases) {
  std::map<std::string, StoredSite> found;
  for (size_t i = 0; i + 1 < sites.elements.size(); i += 2) {
    const std::string& name = sites.elements[i].text;
    found[name] = {.name = name, .settings = ParseSettings(sites.elements[i + 1].text)};
  }
  for (size_t i = 0; i + 1 < aliases.elements.size(); i += 2) {
    // A site's name contains no slash, and a number contains no space.
    const std::string& field = aliases.elements[i].text;
    const std::string& value = aliases.elements[i + 1].text;
    const size_t slash = field.find('/');
    const size_t space = value.find(' ');
    if (slash == std::string::npos || space == std::string::npos) continue;
    const auto site = found.find(field.substr(0, slash));
    if (site == found.end()) continue;
    Alias alias{value.substr(space + 1), 0};
    const auto [stop, error] = std::from_chars(value.data(), value.data() + space, alias.unix_ms);
    if (error != std::errc() || stop != value.data() + space) continue;
    site->second.aliases[field.substr(slash + 1)] = std::move(alias);
  }
  std::vector<StoredSite> result;
  for (auto& [name, site] : found) result.push_back(std::move(site));
  return result;
}

std::vector<std::string> SiteWords(const StoredSite& site) { return {site.name, EncodeSettings(site.settings)}; }

std::vector<std::string> AliasWords(std::string_view site, const AliasEntries& aliases) {
  std::vector<std::string> words;
  for (const auto& [from, alias] : aliases) {
    words.push_back(fmt::format("{}/{}", site, from));
    words.push_back(fmt::format("{} {}", alias.unix_ms, alias.into));
  }
  return words;
}

}  // namespace viewcount
