// Packs lists of articles and of numbers into one text, which a script unpacks in one call.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/part.h"

namespace viewcount {

// Not thread-safe. The vectors given to it must outlive it.
class PackedLists {
 public:
  // Both functions return the list's number, from 1. If one of the last few lists is equal, they return its number
  // instead, since the hashes of a part mostly get the same lists. A list of articles ends with the empty field.
  size_t AddArticles(const std::vector<ArticleDelta>& deltas);
  size_t AddViews(const std::vector<ArticleDelta>& deltas);

  // Returns all lists as an array of arrays in MessagePack (github.com/msgpack/msgpack/blob/master/spec.md), the format
  // that Redis' `cmsgpack` reads.
  std::string Take();

 private:
  struct List {
    bool of_articles;
    const std::vector<ArticleDelta>* deltas;
  };

  // Returns the number of an equal list; 0 if there is none.
  size_t Find(const List& list) const;
  void PutText(std::string_view text);
  void PutNumber(int64_t number);

  std::vector<List> lists_;
  std::string bytes_;
};

}  // namespace viewcount
