// A popular list as it is shown: the articles that a question asks for, with what was announced about them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/articles/article_catalog.h"
#include "service/query/ranked_window.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// The articles that a list is restricted to. An empty text or no time restricts nothing. Thread-safe.
struct ListFilter {
  std::string section = {};
  std::string author = {};
  std::string tag = {};
  std::string language = {};
  // Unix milliseconds.
  std::optional<int64_t> published_since = {};

  bool empty() const {
    return section.empty() && author.empty() && tag.empty() && language.empty() && !published_since;
  }
  // Returns whether an article is shown. `details` is null if nothing was announced. Hidden articles never are.
  bool Shows(const v1::Article* details) const;
};

// Returns the IDs of a list's articles, which refer to it.
std::vector<std::string_view> IdsOf(const PopularList& list);

// Fills what was announced about an article. `details` is null if nothing was.
void FillDetails(const v1::Article* details, v1::RankedArticle& article);

// The shown part of a list. Thread-safe while it does not change.
class ShownList {
 public:
  // `list` had room for `places` articles. `details` has one element for each of its articles.
  ShownList(PopularList list, size_t places, std::vector<ArticleDetails> details, const ListFilter& filter);

  // Returns whether these places of the list have the right articles with exact counts: those from `begin` up to `end`.
  bool IsProven(size_t begin, size_t end) const;
  // Returns whether a longer list is needed for the places up to `end`, or to know whether others follow them.
  bool NeedsMore(size_t end) const { return full_ && end >= shown_.size(); }
  // If the list is not exact, no missing article has more views than this.
  uint64_t error_bound() const;
  size_t size() const { return shown_.size(); }
  const std::string& id(size_t place) const { return list_.articles[shown_[place]].article_id; }
  int64_t as_of_unix_ms() const { return list_.as_of_unix_ms; }
  // Adds an article with its rank. `place` must be less than size().
  void Fill(size_t place, v1::RankedArticle& article) const;

 private:
  PopularList list_;
  // True if the list had no room for further articles.
  bool full_ = false;
  bool filtered_ = false;
  std::vector<ArticleDetails> details_;
  // The indexes of the shown articles.
  std::vector<size_t> shown_;
};

}  // namespace viewcount
