// Notices the parameters of addresses that the site's rule drops, because they may distinguish articles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viewcount::cli {

// Collects parameters by the path of their address. It is bounded at 1,000 paths with 16 parameters each, and counts at
// most 64 values of a parameter. Not thread-safe.
class DroppedParameters {
 public:
  // A path with the names of its dropped parameters.
  struct Path {
    std::string path;
    std::vector<std::string> names;
  };

  // Adds the dropped parameters of an article's address, as NamedArticle has them.
  void Add(std::string_view article_id, const std::vector<std::pair<std::string, std::string>>& dropped);

  // The number of paths that have dropped parameters.
  size_t size() const { return paths_.size(); }
  // Returns at most `count` paths, those with the most different values first.
  std::vector<Path> Top(size_t count) const;
  // Returns the parameter that most probably names articles: the one with the most different values under one path.
  // Returns an empty text if no name could be a parameter of Site.article_parameters.
  std::string Suggestion() const;

 private:
  struct Values {
    std::set<uint64_t> hashes;
    size_t longest = 0;
  };
  using Parameters = std::map<std::string, Values, std::less<>>;

  std::map<std::string, Parameters, std::less<>> paths_;
};

}  // namespace viewcount::cli
