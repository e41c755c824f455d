// Which articles of a site are counted for others.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace viewcount {

// What became of one article when. Of two states of the same article the younger counts, so that stores, journals and
// instances that know different ones come to the same, in whatever order they meet.
struct Alias {
  // The article that gets its views; empty when it is an article of its own again.
  std::string into;
  int64_t unix_ms = 0;

  bool operator==(const Alias&) const = default;
};
// By the article whose views are counted for another.
using AliasEntries = std::map<std::string, Alias>;

// The younger of every entry of both.
AliasEntries Newest(AliasEntries a, const AliasEntries& b);
// What they take in a journal, roughly.
size_t BytesOf(const AliasEntries& entries);

// Immutable once made: any thread may read it.
class Aliases {
 public:
  explicit Aliases(AliasEntries entries);

  const AliasEntries& entries() const { return entries_; }
  // The article for which `id` is counted, chains followed; `id` itself if it is no alias. Points into `id` or into
  // these aliases. Articles in a circle, which two instances may make, are no aliases.
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
