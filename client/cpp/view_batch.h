// Views on their way into one batch: equal ones are added up.
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

// A batch in the order in which its entries were first seen. Movable; not thread safe.
//
// Two views are equal if article, viewer, bot and the second of their event time are: their sum falls into the same
// hour and day, so nothing that is ever asked tells them apart.
class ViewBatch {
 public:
  // Adds a valid view with a count of at least 1.
  void Add(const View& view);

  // The memory that adding `view` would cost: 0 if it joins an equal one.
  size_t CostOf(const View& view) const;
  // True if `view` joins an equal one, or there is room for one more entry among `entries_max` and in a request.
  bool HasRoomFor(const View& view, size_t entries_max) const;

  bool empty() const { return entries_.empty(); }
  size_t entries() const { return entries_.size(); }
  // Memory in bytes, about.
  size_t bytes() const { return bytes_; }
  // The sum of the counts.
  uint64_t views() const { return views_; }
  const std::deque<View>& list() const { return entries_; }

  // Forgets which entries are equal; Add must not be called after it. Frees memory before a long wait.
  void Seal() { index_ = {}; }

  // Appends the entries to `request`.
  void AppendTo(v1::RecordViewsRequest& request) const;

 private:
  struct Key {
    // Points into an entry: a deque never moves its elements.
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
  // The entry that `view` joins; null if there is none, or its count would pass the limit.
  View* EqualOf(const View& view) const;

  std::deque<View> entries_;
  std::unordered_map<Key, View*, KeyHash> index_;
  size_t bytes_ = 0;
  size_t request_bytes_ = 0;
  uint64_t views_ = 0;
};

}  // namespace viewcount::client
