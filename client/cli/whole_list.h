// Reads all pages of a popular list that may change meanwhile.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/repeated_ptr_field.h>

#include <functional>
#include <string>

#include "viewcount/v1/query.pb.h"

namespace viewcount::cli {

using RankedArticles = google::protobuf::RepeatedPtrField<v1::RankedArticle>;

// The number of times that a list is read again, because an article changed its page. An exact list of a large site
// takes up to a minute for each page.
inline constexpr int kListRereadsMax = 3;

struct WholeList {
  // Each article once, in the order of the service.
  RankedArticles articles;
  // True if every page was exact, and no article can be missing between them.
  bool exact = true;
  // The time of the oldest page.
  absl::Time as_of = absl::InfiniteFuture();
};

// Returns the page that begins at a token. An empty token stands for the first page.
using ReadPage = std::function<absl::StatusOr<v1::ListPopularResponse>(const std::string& page_token)>;

// Returns whether pages that were read one after the other are one list: each article is there once, and the ranks have
// no gap from 1 on. If an article rises to an earlier page, another one takes its place and is there twice. Pure
// function; thread-safe.
bool IsOneList(const RankedArticles& articles);

// Reads pages until the last one. Begins again if they are not one list, up to kListRereadsMax times; after that, the
// list is not exact. Returns the first error of `read_page`. Thread-safe if `read_page` is.
absl::StatusOr<WholeList> ReadWholeList(const ReadPage& read_page);

}  // namespace viewcount::cli
