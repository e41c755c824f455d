// This is a second, independent implementation of the decoder. The generated class parses, and plain code checks the
// limits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "viewcount/v1/ingest.pb.h"

namespace viewcount {

struct ReferenceResult {
  // It is true if the generated class parsed the message. `message` is usable only then.
  bool parsed = false;
  // It is true if the message also keeps all limits.
  bool accepted = false;
  v1::RecordViewsRequest message;
  // Sums the counts before the first view that is refused. It has no value if other errors than that view also decide
  // how far a decoder gets.
  std::optional<uint64_t> view_count;
};

// The function is slow, and independent of all code in service/ except the limits.
ReferenceResult DecodeByReference(const std::string& bytes, int64_t receipt_unix_ms);

}  // namespace viewcount
