#include "service/store/redis/packed_lists.h"

#include <algorithm>
#include <utility>

#include "service/base/check.h"

namespace viewcount {

namespace {

// The number of latest lists that are compared with a new one. The total, day and hour of an article follow one
// another.
constexpr size_t kCompared = 8;

template <typename Number>
void AppendBigEndian(std::string& bytes, Number number) {
  for (int shift = 8 * sizeof(number) - 8; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
}

std::string ArrayHeader(size_t size) {
  std::string header = "\xdd";
  AppendBigEndian(header, static_cast<uint32_t>(size));
  return header;
}

}  // namespace

size_t PackedLists::AddArticles(const std::vector<ArticleDelta>& deltas) {
  const List list{true, &deltas};
  if (const size_t number = Find(list); number > 0) return number;
  lists_.push_back(list);
  bytes_ += ArrayHeader(deltas.size() + 1);
  for (const ArticleDelta& delta : deltas) PutText(delta.article_id);
  PutText("");
  return lists_.size();
}

size_t PackedLists::AddViews(const std::vector<ArticleDelta>& deltas) {
  const List list{false, &deltas};
  if (const size_t number = Find(list); number > 0) return number;
  lists_.push_back(list);
  bytes_ += ArrayHeader(deltas.size());
  for (const ArticleDelta& delta : deltas) PutNumber(delta.views);
  return lists_.size();
}

std::string PackedLists::Take() { return ArrayHeader(lists_.size()) + std::exchange(bytes_, {}); }

size_t PackedLists::Find(const List& list) const {
  const auto same = [&](const ArticleDelta& a, const ArticleDelta& b) {
    return list.of_articles ? a.article_id == b.article_id : a.views == b.views;
  };
  for (size_t i = lists_.size(); i > 0 && i + kCompared > lists_.size(); --i) {
    const List& earlier = lists_[i - 1];
    if (earlier.of_articles == list.of_articles && std::ranges::equal(*earlier.deltas, *list.deltas, same)) return i;
  }
  return 0;
}

void PackedLists::PutText(std::string_view text) {
  constexpr size_t kShortMax = 31;
  if (text.size() <= kShortMax) {
    bytes_ += static_cast<char>(0xa0 | text.size());
  } else {
    VIEWCOUNT_CHECK(text.size() <= UINT16_MAX);
    bytes_ += '\xda';
    AppendBigEndian(bytes_, static_cast<uint16_t>(text.size()));
  }
  bytes_ += text;
}

void PackedLists::PutNumber(int64_t number) {
  if (number >= 0 && number < 128) {
    bytes_ += static_cast<char>(number);
  } else {
    bytes_ += '\xd3';
    AppendBigEndian(bytes_, static_cast<uint64_t>(number));
  }
}

}  // namespace viewcount
