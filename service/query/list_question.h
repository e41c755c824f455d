// A valid request for a page of a list of articles.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "service/query/popular_reader.h"
#include "service/query/shown_list.h"
#include "service/query/window.h"
#include "service/sites/site_directory.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

struct ListQuestion {
  std::shared_ptr<const Site> site;
  PopularReader::Question list = {};
  // The time that the list covers. 0 and 0 for all time.
  TimeSpan span = {};
  // The list of the window before, if its ranks are requested and it can be known.
  std::optional<PopularReader::Question> before = {};
  ListFilter filter = {};
  bool exact_required = false;
  std::string list_name = {};
  // The places of the page.
  size_t begin = 0;
  size_t end = 0;

  // Returns the token of the page that begins at a place.
  std::string TokenAt(size_t place) const;
  // Sets `filter`, `list_name`, the places, and the length of `list`, whose windows must be set. Lists of another kind
  // have other tokens. INVALID_ARGUMENT names the field.
  absl::Status SetPage(const v1::ListPopularRequest& request, std::string_view kind, uint32_t page_size_max,
                       int64_t now_unix_ms);
};

// NOT_FOUND for an unknown site; INVALID_ARGUMENT names the field. Thread-safe.
absl::StatusOr<ListQuestion> PopularQuestionOf(const v1::ListPopularRequest& request, const SiteDirectory& sites,
                                               int64_t now_unix_ms);

// INVALID_ARGUMENT if the label is too long for one.
absl::Status CheckLabel(const char* field, const std::string& label);
// Returns UNAVAILABLE with RetryInfo: the descriptions of articles cannot be read.
absl::Status NoDetails();
// Fills a range.
void Fill(const TimeSpan& span, v1::Window::Range& range);

}  // namespace viewcount
