#include "service/sites/aliases.h"

#include <set>
#include <utility>

namespace viewcount {
namespace {

// Returns the end of the chain that begins at `id`, or `id` itself if the chain runs into a circle.
std::string TargetOf(const AliasEntries& entries, const std::string& id) {
  std::set<std::string_view> seen;
  const std::string* at = &id;
  while (seen.insert(*at).second) {
    const auto next = entries.find(*at);
    if (next == entries.end() || next->second.into.empty()) return *at;
    at = &next->second.into;
  }
  return id;
}

}  // namespace

AliasEntries Newest(AliasEntries a, const AliasEntries& b) {
  for (const auto& [from, alias] : b) {
    const auto [place, is_new] = a.emplace(from, alias);
    if (is_new) continue;
    // Entries of the same time need an order that is the same in every instance. It does not matter which one.
    const auto age = [](const Alias& entry) { return std::pair<int64_t, std::string_view>(entry.unix_ms, entry.into); };
    if (age(place->second) < age(alias)) place->second = alias;
  }
  return a;
}

size_t BytesOf(const AliasEntries& entries) {
  constexpr size_t kNumberBytes = 16;
  size_t bytes = 0;
  for (const auto& [from, alias] : entries) bytes += from.size() + alias.into.size() + kNumberBytes;
  return bytes;
}

Aliases::Aliases(AliasEntries entries) : entries_(std::move(entries)) {
  for (const auto& [from, alias] : entries_) {
    std::string target = TargetOf(entries_, from);
    if (target != from) targets_.emplace(from, std::move(target));
  }
}

}  // namespace viewcount
