// Encodes and decodes the payloads of the records that a lane writes into its journal. service/journal/FORMAT.md
// describes their bytes.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "service/lane/chunk.h"
#include "service/model/views_request.h"
#include "service/sites/site.h"

namespace viewcount {

// The head of a batch's record, before the raw request. It holds everything else that folding the batch needs.
struct ViewsHead {
  // The time of receipt in Unix milliseconds. An event time of 0 means this time.
  int64_t receipt_unix_ms = 0;
  // A bitmap of the views that begin a visit. The first view has the lowest bit of the first byte. Empty if no view
  // begins one.
  std::string_view visits = {};
  // A bitmap of the views within their site's cool-down. Every other view of a known viewer then counts as 1. Empty if
  // the cool-down left all views as they were.
  std::string_view cool_downs = {};

  // Returns the largest size of the head of a batch with `views` views, in bytes.
  static size_t BytesMax(size_t views);
  // Replaces `text` with the encoded head.
  void EncodeTo(std::string& text) const;
};

struct ViewsPayload {
  ViewsHead head;
  std::string_view request;
};
// Splits the payload of a batch's record. The result points into `payload`. Returns DATA_LOSS if it is not such a
// payload.
absl::StatusOr<ViewsPayload> ParseViewsPayload(std::string_view payload);

// Writes ViewsHead::visits of these views into `bits`. The result is empty if no view begins a visit.
void EncodeVisits(std::span<const DecodedView> views, std::string& bits);
// Writes ViewsHead::cool_downs into `bits`, for views that a cool-down has changed.
void EncodeCoolDowns(std::span<const DecodedView> views, std::string& bits);
// Changes the views to what the lane decided when it took them. Returns DATA_LOSS if a bitmap does not match the number
// of views.
absl::Status ApplyDecisions(const ViewsHead& head, std::span<DecodedView> views);

// Converts a site's name, settings and aliases to and from a payload. The site's index is not stored, because each
// reader assigns its own. ParseSite returns DATA_LOSS for a broken payload.
std::string EncodeSite(const Site& site);
absl::StatusOr<Site> ParseSite(std::string_view payload);

// The record at the beginning of each segment.
struct JournaledTotals {
  // When the segment was begun, in Unix milliseconds.
  int64_t unix_ms = 0;
  // The views of everything that the lane journaled before the segment.
  ShardViews views{};
};
// Converts totals to and from a payload. ParseTotals returns DATA_LOSS for a payload of another size.
std::string EncodeTotals(const JournaledTotals& totals);
absl::StatusOr<JournaledTotals> ParseTotals(std::string_view payload);

}  // namespace viewcount
