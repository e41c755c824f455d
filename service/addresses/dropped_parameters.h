// Notices the parameters of addresses that the site's rule drops, because they may distinguish articles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viewcount {

// Collects parameters by the path of their address. It is bounded by its limits. Not thread-safe.
class DroppedParameters {
 public:
  // How many paths are kept, how many parameters of each path, and how many values of each parameter. A value takes
  // some 40 bytes. A path without parameters that differ makes room for a new one. Everything else beyond is ignored,
  // and so are names of more than 40 bytes.
  struct Limits {
    size_t paths = 1'000;
    size_t names = 16;
    size_t values = 64;
  };
  // A path with the names of its dropped parameters.
  struct Path {
    std::string path;
    std::vector<std::string> names;
  };

  DroppedParameters() : DroppedParameters(Limits()) {}
  explicit DroppedParameters(const Limits& limits) : limits_(limits) {}

  // Adds the dropped parameters of an article's address, as NamedArticle has them.
  void Add(std::string_view article_id, const std::vector<std::pair<std::string, std::string>>& dropped);

  // The number of paths that have dropped parameters.
  size_t size() const { return paths_.size(); }
  // Returns at most `count` paths, those with the most different values first.
  std::vector<Path> Top(size_t count) const;
  // Returns the parameter that most probably names articles: the one with the most different values under one path.
  // Returns an empty text if no name could be a parameter of Site.article_parameters.
  std::string Suggestion() const;
  // Returns the paths of which a parameter had at least two values. Such a parameter may name articles.
  DroppedParameters Distinguishing() const;
  // Returns the path of an article alone, if it is one of these.
  DroppedParameters Distinguishing(std::string_view article_id) const;

 private:
  struct Values {
    std::set<uint64_t> hashes;
    size_t longest = 0;
  };
  using Parameters = std::map<std::string, Values, std::less<>>;

  // Returns false if there is no room for another path.
  bool MakeRoom();
  // Returns true if one of the parameters had at least two values.
  static bool Differs(const Parameters& parameters);

  Limits limits_;
  // The paths in the order in which they came. Those that were kept in place of newer ones are last.
  std::deque<std::string> order_;
  std::map<std::string, Parameters, std::less<>> paths_;
};

// Describes the parameters to an operator, with the command that makes them a part of the article. Returns an empty
// text if there are none. Pure function; thread-safe.
std::string DroppedParametersHint(const DroppedParameters& dropped, std::string_view site);

}  // namespace viewcount
