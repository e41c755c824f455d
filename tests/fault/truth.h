// The counts that are expected, by article: the load's own bookkeeping.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace viewcount {

// Thread-safe. Articles are numbers from 0 on. It stores two numbers for each article, however many views there are.
class Truth {
 public:
  // IDs have at least `id_bytes`, for tests that need large messages.
  explicit Truth(int articles, size_t id_bytes = 0) : offered_(articles), acknowledged_(articles) {
    for (int i = 0; i < articles; ++i) {
      std::string& id = ids_.emplace_back("/news/" + std::to_string(i));
      if (id.size() < id_bytes) id.append(id_bytes - id.size(), '-');
    }
  }

  int articles() const { return static_cast<int>(ids_.size()); }
  const std::string& IdOf(int article) const { return ids_[article]; }

  // Called before a view is sent. From then on it may be counted.
  void Offer(int article, uint64_t views = 1) { offered_[article] += views; }
  // Called after a view was acknowledged. From then on it must be counted.
  void Acknowledge(int article, uint64_t views = 1) {
    acknowledged_[article] += views;
    total_ += views;
  }

  uint64_t offered(int article) const { return offered_[article]; }
  uint64_t acknowledged(int article) const { return acknowledged_[article]; }
  // The number of acknowledged views of all articles.
  uint64_t total() const { return total_; }

 private:
  std::vector<std::string> ids_;
  std::vector<std::atomic<uint64_t>> offered_;
  std::vector<std::atomic<uint64_t>> acknowledged_;
  std::atomic<uint64_t> total_{0};
};

}  // namespace viewcount
