// Aliases: articles of a site whose views are counted for other articles.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace viewcount {

// The last change of one article's alias. If two states of an article differ, the newer one counts. So stores, journals
// and instances with different states agree, in whatever order they are merged.
struct Alias {
  // The article that gets the views. Empty if the alias was removed, so the article is counted for itself again.
  std::string into;
  int64_t unix_ms = 0;

  bool operator==(const Alias&) const = default;
};
// By the article whose views are counted for another.
using AliasEntries = std::map<std::string, Alias>;

// Merges two sets of entries. For each article the newer entry is kept.
AliasEntries Newest(AliasEntries a, const AliasEntries& b);
// Returns the approximate size of the entries in a journal.
size_t BytesOf(const AliasEntries& entries);

// Immutable after construction, and therefore thread-safe.
class Aliases {
 public:
  explicit Aliases(AliasEntries entries);

  const AliasEntries& entries() const { return entries_; }
  // Returns the article for which `id` is counted, after following chains. Returns `id` if it is not an alias. The
  // result refers to `id` or to this object. Articles in a circle, which two instances can create together, count as
  // themselves.
  std::string_view Resolve(std::string_view id) const {
    const auto found = targets_.find(id);
    return found == targets_.end() ? id : std::string_view(found->second);
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view id) const { return std::hash<std::string_view>()(id); }
  };

  AliasEntries entries_;
  boost::unordered_flat_map<std::string, std::string, Hash, std::equal_to<>> targets_;
};

}  // namespace viewcount
