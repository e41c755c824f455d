// One hash of counts, added up field by field as a scan brings them.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/count_store.h"
#include "service/store/redis/reply.h"

namespace viewcount {

// One thread. Keeps eight bytes for each article and the texts of only the highest.
class HashTally {
 public:
  // Keeps the highest `ranked` articles.
  explicit HashTally(size_t ranked) : ranked_(ranked) {}

  // A field may come twice, as scans have it. The empty one is the sum and not an article.
  void Add(const std::string& field, const Reply& value);

  // Of the articles whose field is a count.
  int64_t sum() const { return sum_; }
  uint64_t articles() const { return seen_.size(); }
  struct Broken {
    std::string article_id;
    std::string value;
  };
  // Articles whose field is no count.
  const std::vector<Broken>& broken() const { return broken_; }
  // By views falling, then ID rising.
  std::vector<RankedCount> Highest() const;

 private:
  const size_t ranked_;
  int64_t sum_ = 0;
  // Hashes of the articles: of a million articles two share one with a probability of 1 to 30 million, and the audit
  // would then report a difference that is none.
  boost::unordered_flat_set<uint64_t> seen_;
  std::vector<Broken> broken_;
  // A heap whose first is the lowest.
  std::vector<RankedCount> highest_;
};

}  // namespace viewcount
