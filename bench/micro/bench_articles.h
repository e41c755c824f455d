// Articles for benchmarks: IDs of some 25 bytes, asked for by Zipf's law with exponent 1.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace viewcount {

inline std::vector<std::string> ArticleIds(size_t count) {
  std::vector<std::string> ids;
  ids.reserve(count);
  for (size_t i = 0; i < count; ++i) ids.push_back("/news/2026/story-" + std::to_string(10'000'000 + i));
  return ids;
}

// `draws` indexes below `articles`, always the same.
inline std::vector<uint32_t> ZipfDraws(size_t articles, size_t draws) {
  std::vector<double> cumulated(articles);
  double sum = 0;
  for (size_t i = 0; i < articles; ++i) cumulated[i] = sum += 1.0 / static_cast<double>(i + 1);
  // Ranks must not lie in memory in order of rank.
  std::mt19937_64 random(1);
  std::vector<uint32_t> by_rank(articles);
  for (size_t i = 0; i < articles; ++i) by_rank[i] = static_cast<uint32_t>(i);
  std::shuffle(by_rank.begin(), by_rank.end(), random);
  std::uniform_real_distribution<> place(0, sum);
  std::vector<uint32_t> drawn(draws);
  for (uint32_t& index : drawn) {
    const auto rank = std::lower_bound(cumulated.begin(), cumulated.end(), place(random)) - cumulated.begin();
    index = by_rank[std::min<size_t>(rank, articles - 1)];
  }
  return drawn;
}

}  // namespace viewcount
