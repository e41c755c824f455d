// What a lane writes into its journal, as payloads of records: service/journal/FORMAT.md has their bytes.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/lane/chunk.h"
#include "service/sites/site.h"

namespace viewcount {

// In front of a batch's raw request: everything that folding it needs beside the request itself.
struct ViewsHead {
  // What an event time of 0 means.
  int64_t receipt_unix_ms = 0;

  static constexpr size_t kBytes = 9;
  std::array<char, kBytes> Encode() const;
};

struct ViewsPayload {
  ViewsHead head;
  std::string_view request;
};
// Points into `payload`. DATA_LOSS if that is none.
absl::StatusOr<ViewsPayload> ParseViewsPayload(std::string_view payload);

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
