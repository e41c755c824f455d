#include "client/cli/whole_list.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace viewcount::cli {
namespace {

// Reads the pages once, each article as often as they have it. Unless `to_end` is set, ends with the page that shows
// that they are not one list.
absl::StatusOr<WholeList> ReadPages(const ReadPage& read_page, bool to_end) {
  WholeList list;
  std::string token;
  do {
    auto page = read_page(token);
    if (!page.ok()) return page.status();
    list.exact &= page->exact();
    list.as_of = std::min(
        list.as_of, absl::FromUnixMillis(google::protobuf::util::TimeUtil::TimestampToMilliseconds(page->as_of())));
    // An empty page ends the list as well, so that no service can cause an endless loop.
    token = page->articles().empty() ? "" : page->next_page_token();
    list.articles.MergeFrom(page->articles());
  } while (!token.empty() && (to_end || IsOneList(list.articles)));
  return list;
}

// Keeps the first place of each article.
void RemoveRepeated(RankedArticles& articles) {
  std::set<std::string> known;
  const auto repeated = std::remove_if(articles.begin(), articles.end(), [&known](const v1::RankedArticle& article) {
    return !known.insert(article.article_id()).second;
  });
  articles.erase(repeated, articles.end());
}

}  // namespace

bool IsOneList(const RankedArticles& articles) {
  std::set<std::string_view> known;
  uint32_t rank = 0;
  return std::ranges::all_of(articles, [&](const v1::RankedArticle& article) {
    return article.rank() == ++rank && known.insert(article.article_id()).second;
  });
}

absl::StatusOr<WholeList> ReadWholeList(const ReadPage& read_page) {
  for (int rereads = 0;; ++rereads) {
    auto list = ReadPages(read_page, rereads == kListRereadsMax);
    if (!list.ok() || IsOneList(list->articles)) return list;
    if (rereads < kListRereadsMax) continue;
    list->exact = false;
    RemoveRepeated(list->articles);
    return list;
  }
}

}  // namespace viewcount::cli
