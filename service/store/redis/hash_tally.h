// Adds up one hash of counts, field by field as a scan returns them.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/count_store.h"
#include "service/store/redis/reply.h"

namespace viewcount {

// Keeps eight bytes for each article, and texts only for the highest ones. Not thread-safe.
class HashTally {
 public:
  // Keeps the `ranked` articles with the highest counts.
  explicit HashTally(size_t ranked) : ranked_(ranked) {}

  // Adds a field of the hash. A field may be added twice, because scans may return it twice. The empty field is the sum
  // and not an article, so it is ignored.
  void Add(const std::string& field, const Reply& value);

  // The sum over the articles whose field is a count.
  int64_t sum() const { return sum_; }
  uint64_t articles() const { return seen_.size(); }
  struct Broken {
    std::string article_id;
    std::string value;
  };
  // Articles whose field is not a count.
  const std::vector<Broken>& broken() const { return broken_; }
  // Returns the highest articles, by views descending, then by ID ascending.
  std::vector<RankedCount> Highest() const;

 private:
  const size_t ranked_;
  int64_t sum_ = 0;
  // Hashes of the articles. Among a million articles, two have the same hash with a probability of 1 in 30 million. The
  // audit would then report a difference that does not exist.
  boost::unordered_flat_set<uint64_t> seen_;
  std::vector<Broken> broken_;
  // A heap whose first element is the lowest.
  std::vector<RankedCount> highest_;
};

}  // namespace viewcount
