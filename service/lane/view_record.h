// What a lane writes into its journal, as payloads of records: service/journal/FORMAT.md has their bytes.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "service/ingest/views_request.h"
#include "service/lane/chunk.h"
#include "service/sites/site.h"

namespace viewcount {

// In front of a batch's raw request: everything that folding it needs beside the request itself.
struct ViewsHead {
  // What an event time of 0 means.
  int64_t receipt_unix_ms = 0;
  // Which views begin a visit: a bit for each, the first one's the lowest of the first byte. Empty if none does.
  std::string_view visits = {};
  // The same of those within their site's cool-down; of the others of known viewers 1 counts. Empty if the cool-down
  // left all views as they were.
  std::string_view cool_downs = {};

  // Of a batch of so many views.
  static size_t BytesMax(size_t views);
  void EncodeTo(std::string& text) const;
};

struct ViewsPayload {
  ViewsHead head;
  std::string_view request;
};
// Points into `payload`. DATA_LOSS if that is none.
absl::StatusOr<ViewsPayload> ParseViewsPayload(std::string_view payload);

// ViewsHead::visits of these views, into `bits`; empty if none begins one.
void EncodeVisits(std::span<const DecodedView> views, std::string& bits);
// ViewsHead::cool_downs of views that a cool-down has changed, into `bits`.
void EncodeCoolDowns(std::span<const DecodedView> views, std::string& bits);
// Has the views be as the lane decided. DATA_LOSS if the bits are of more or fewer views.
absl::Status ApplyDecisions(const ViewsHead& head, std::span<DecodedView> views);

// A site's settings. The index is the reader's own affair.
std::string EncodeSite(const Site& site);
absl::StatusOr<Site> ParseSite(std::string_view payload);

// What a segment begins with.
struct JournaledTotals {
  // When it was begun.
  int64_t unix_ms = 0;
  // Of everything the lane journaled before it.
  ShardViews views{};
};
std::string EncodeTotals(const JournaledTotals& totals);
absl::StatusOr<JournaledTotals> ParseTotals(std::string_view payload);

}  // namespace viewcount
