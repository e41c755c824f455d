#include "service/query/shown_list.h"

#include <algorithm>
#include <utility>

namespace viewcount {
bool ListFilter::Shows(const v1::Article* details) const {
  if (details == nullptr) return empty();
  if (details->hidden_from_lists()) return false;
  if (!language.empty() && details->language() != language) return false;
  if (published_since) {
    const auto published = PublishTimeOf(*details);
    if (!published || *published < *published_since) return false;
  }
  return HasLabel(details->sections(), section) && HasLabel(details->authors(), author) &&
         HasLabel(details->tags(), tag);
}

std::vector<std::string_view> IdsOf(const PopularList& list) {
  std::vector<std::string_view> ids;
  ids.reserve(list.articles.size());
  for (const PopularArticle& article : list.articles) ids.push_back(article.article_id);
  return ids;
}

ShownList::ShownList(PopularList list, size_t places, std::vector<ArticleDetails> details, const ListFilter& filter)
    : list_(std::move(list)),
      full_(list_.articles.size() >= places),
      filtered_(!filter.empty()),
      details_(std::move(details)) {
  for (size_t i = 0; i < list_.articles.size(); ++i) {
    if (filter.Shows(details_[i].get())) shown_.push_back(i);
  }
}

bool ShownList::IsProven(size_t begin, size_t end) const {
  if (list_.exact && !full_) return true;
  if (end <= shown_.size() && begin < end) {
    // No missing article belongs on the page if its last article has more views than any of them.
    return list_.exact || (list_.current && list_.articles[shown_[end - 1]].views > list_.error_bound);
  }
  // Places are empty. An exact list ends there, unless other articles that the question asks for come after its last.
  return list_.exact && !filtered_;
}

uint64_t ShownList::error_bound() const {
  // An article that did not fit has at most as many views as the last one.
  return std::max(list_.error_bound, full_ && !list_.articles.empty() ? list_.articles.back().views : 0);
}

void ShownList::Fill(size_t place, v1::RankedArticle& article) const {
  const size_t index = shown_[place];
  article.set_article_id(list_.articles[index].article_id);
  article.set_views(list_.articles[index].views);
  article.set_rank(static_cast<uint32_t>(place + 1));
  FillDetails(details_[index].get(), article);
}

void FillDetails(const v1::Article* details, v1::RankedArticle& article) {
  if (details == nullptr) return;
  article.set_title(details->title());
  article.set_url(details->url());
  *article.mutable_sections() = details->sections();
  *article.mutable_authors() = details->authors();
  article.set_image_url(details->image_url());
  if (details->has_publish_time()) *article.mutable_publish_time() = details->publish_time();
}

}  // namespace viewcount
