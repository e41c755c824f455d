// Request bytes → validated views, in one pass and by hand: the generated classes take three times as long
// (bench/micro/decoder_benchmark.cc: 4.6 against 13.7 million views a second).
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string_view>

#include "service/ingest/views_request.h"

namespace viewcount {

// Decodes and validates one RecordViewsRequest in Protobuf's wire format. The whole batch is valid or nothing of it.
//
// `receipt_unix_ms` is when the request came: what an event time of 0 means, and what others are compared with.
// Accepts exactly what the generated classes parse (unknown fields are skipped, the last of a repeated scalar counts,
// packed and unpacked takeovers alike) and what limits.h allows. `request` then points into `bytes`.
// Errors: INVALID_ARGUMENT with BadRequest naming field and index. Thread safe: it has no state.
absl::Status DecodeViewsRequest(std::string_view bytes, int64_t receipt_unix_ms, ViewsRequest& request);

}  // namespace viewcount
