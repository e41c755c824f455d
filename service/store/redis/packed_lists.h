// Lists of articles and of numbers in one text that a script unpacks at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/count_store.h"

namespace viewcount {

// One thread. What it was given must live as long as it does.
class PackedLists {
 public:
  // Both return the list's number, from 1: that of an equal list if one of the last few is equal, since the hashes of a
  // part mostly get the same. A list of articles ends with the empty field.
  size_t AddArticles(const std::vector<ArticleDelta>& deltas);
  size_t AddViews(const std::vector<ArticleDelta>& deltas);

  // An array of arrays in MessagePack (github.com/msgpack/msgpack/blob/master/spec.md), what Redis' `cmsgpack` reads.
  std::string Take();

 private:
  struct List {
    bool of_articles;
    const std::vector<ArticleDelta>* deltas;
  };

  // The number of an equal list; 0 if there is none.
  size_t Find(const List& list) const;
  void PutText(std::string_view text);
  void PutNumber(int64_t number);

  std::vector<List> lists_;
  std::string bytes_;
};

}  // namespace viewcount
