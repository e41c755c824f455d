#include "service/store/redis/hash_tally.h"

#include <algorithm>

#include "service/base/hash.h"

namespace viewcount {
namespace {

bool ComesBefore(const RankedCount& a, const RankedCount& b) {
  return a.views != b.views ? a.views > b.views : a.article_id < b.article_id;
}

}  // namespace

void HashTally::Add(const std::string& field, const Reply& value) {
  if (field.empty() || !seen_.insert(Hash64(field)).second) return;
  const auto views = CountOf(value);
  if (!views.ok()) {
    broken_.push_back({field, value.text});
    return;
  }
  sum_ += *views;
  // Articles with a count of 0 are never ranked.
  if (ranked_ == 0 || *views == 0) return;
  RankedCount article{field, *views};
  if (highest_.size() == ranked_) {
    if (!ComesBefore(article, highest_.front())) return;
    std::pop_heap(highest_.begin(), highest_.end(), ComesBefore);
    highest_.pop_back();
  }
  highest_.push_back(std::move(article));
  std::push_heap(highest_.begin(), highest_.end(), ComesBefore);
}

std::vector<RankedCount> HashTally::Highest() const {
  std::vector<RankedCount> sorted = highest_;
  std::sort(sorted.begin(), sorted.end(), ComesBefore);
  return sorted;
}

}  // namespace viewcount
