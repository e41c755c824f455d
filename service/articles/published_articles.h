// Announced articles in the order of their publication: the neighbours of an article or of a moment.
//
// The store has the order of a site as one sorted set. It is a hint: what is shown of an article, and whether it
// belongs there, is decided by what was announced about it last.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <compare>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/articles/article_catalog.h"
#include "service/articles/article_limits.h"
#include "service/base/clock.h"
#include "service/base/shared_reads.h"
#include "service/sites/site.h"

namespace viewcount {

// An announced article.
struct PublishedArticle {
  std::string article_id;
  // Not null.
  ArticleDetails details;
};

// Used on the store's executor. Everything that it refers to must outlive it.
class PublishedArticles {
 public:
  PublishedArticles(ArticleCatalog& catalog, const Clock& clock)
      : catalog_(catalog), clock_(clock), reads_(clock, kPublicationReads) {}

  // The articles on one side of a middle.
  struct Question {
    // The middle: nothing for now; an article's publication; or a time with an empty ID.
    std::optional<Publication> middle;
    // True for the articles published after the middle, false for those before it. Those at a time itself are before
    // it.
    bool newer = false;
    // Empty for all sections.
    std::string section;
    size_t articles_max = 0;

    auto operator<=>(const Question&) const = default;
  };
  struct Answer {
    // The nearest one first.
    std::vector<PublishedArticle> articles;
    // False if the section may have other articles between or after these.
    bool complete = true;
  };

  // Returns articles that were published up to now, are not hidden and not counted for others. Answers are used for
  // some seconds, unless this process announces something. UNAVAILABLE with RetryInfo if the store cannot be read, and
  // RESOURCE_EXHAUSTED if too many requests read it.
  boost::asio::awaitable<absl::StatusOr<Answer>> Read(std::shared_ptr<const Site> site, Question question);

 private:
  // The settings of a site may change, and this process may announce something.
  struct Key {
    std::shared_ptr<const Site> site;
    uint64_t writes = 0;
    Question question;

    auto operator<=>(const Key&) const = default;
  };
  boost::asio::awaitable<absl::StatusOr<Answer>> ReadNow(std::shared_ptr<const Site> site, Question question);

  ArticleCatalog& catalog_;
  const Clock& clock_;
  SharedReads<Key, Answer> reads_;
};

}  // namespace viewcount
