// What the decoder must do, said a second time: the generated class parses, plain code checks the limits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "viewcount/v1/ingest.pb.h"

namespace viewcount {

struct ReferenceResult {
  // The generated class parsed it. `message` is only then of use.
  bool parsed = false;
  // And it keeps all limits.
  bool accepted = false;
  v1::RecordViewsRequest message;
  // The sum of the counts up to the first view that is refused by itself; without a value when more than the views'
  // order decides how far a decoder gets.
  std::optional<uint64_t> view_count;
};

// Slow, and independent of everything in service/ but the limits.
ReferenceResult DecodeByReference(const std::string& bytes, int64_t receipt_unix_ms);

}  // namespace viewcount
