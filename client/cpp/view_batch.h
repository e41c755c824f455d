// Collects views for one batch and adds up equal views.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "client/cpp/writer.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount::client {

// A batch in the order in which its entries were first recorded. Movable. Not thread-safe.
//
// Two views are equal if they have the same article, viewer and bot flag, and the same second of event time. Their sum
// falls into the same hour and day, so no query can distinguish them.
class ViewBatch {
 public:
  // Adds `view`, which must be valid and have a count of at least 1.
  void Add(const View& view);

  // Returns the memory in bytes that adding `view` would cost. Returns 0 if it joins an equal entry.
  size_t CostOf(const View& view) const;
  // Returns true if `view` joins an equal entry. Also returns true if the batch has fewer than `entries_max` entries
  // and the request has room for one more.
  bool HasRoomFor(const View& view, size_t entries_max) const;

  bool empty() const { return entries_.empty(); }
  size_t entries() const { return entries_.size(); }
  // The approximate memory of the batch in bytes.
  size_t bytes() const { return bytes_; }
  // The sum of the entries' counts.
  uint64_t views() const { return views_; }
  const std::deque<View>& list() const { return entries_; }

  // Discards the index of equal entries to free memory before a long wait. Add must not be called after it.
  void Seal() { index_ = {}; }

  // Appends the entries to `request`.
  void AppendTo(v1::RecordViewsRequest& request) const;

 private:
  struct Key {
    // Points into an entry. A deque never moves its elements when it grows at its end.
    std::string_view article_id;
    uint64_t viewer;
    int64_t second;
    bool bot;
    bool operator==(const Key& other) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };

  static Key KeyOf(const View& view);
  // Returns the entry that `view` joins. Returns null if there is none, or if its count would exceed the limit.
  View* EqualOf(const View& view) const;

  std::deque<View> entries_;
  std::unordered_map<Key, View*, KeyHash> index_;
  size_t bytes_ = 0;
  size_t request_bytes_ = 0;
  uint64_t views_ = 0;
};

}  // namespace viewcount::client
