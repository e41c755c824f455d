// Messages that are encoded before the clock starts and stored in one piece of memory.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bench/articles.h"
#include "bench/load/options.h"

namespace viewcount::bench {

// Draws articles by the distribution in the options. Equal options give equal draws. Not thread-safe.
class ArticleDraws {
 public:
  explicit ArticleDraws(const Options& options) : ArticleDraws(options, options.articles) {}
  // Draws only from the `popular` highest ranks.
  ArticleDraws(const Options& options, size_t popular)
      : random_(options.seed),
        zipf_(std::min(popular, options.articles)),
        uniform_(1, std::min(popular, options.articles)),
        is_uniform_(options.uniform),
        ranked_(options.articles) {}

  std::string Next() { return ArticleId(ranked_.Index(is_uniform_ ? uniform_(random_) : zipf_(random_))); }

 private:
  std::mt19937_64 random_;
  ZipfDistribution zipf_;
  std::uniform_int_distribution<size_t> uniform_;
  bool is_uniform_;
  RankedArticles ranked_;
};

// A pool that is filled once and then read in a circle. Its memory does not move after it is filled. Not thread-safe.
class EncodedPool {
 public:
  void Add(std::string_view message) {
    bytes_ += message;
    ends_.push_back(bytes_.size());
  }
  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t index) const {
    const size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(bytes_).substr(begin, ends_[index] - begin);
  }
  // Returns the index of the next message.
  size_t Next() {
    if (++last_ >= size()) last_ = 0;
    return last_;
  }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
  size_t last_ = 0;
};

}  // namespace viewcount::bench
