// Decodes request bytes into validated views, in one pass and with hand-written code. The generated classes take three
// times as long (bench/micro/decoder_benchmark.cc: 4.6 against 13.7 million views a second).
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string_view>

#include "service/model/views_request.h"

namespace viewcount {

// Decodes and validates one RecordViewsRequest in Protobuf's wire format. Either the whole batch is valid or the
// function returns an error.
//
// `receipt_unix_ms` is the time at which the request was received. An event time of 0 means this time, and other event
// times are compared with it. The function accepts exactly the bytes that the generated classes parse, within the
// limits of limits.h. So it skips unknown fields, takes the last value of a repeated scalar, and reads packed and
// unpacked takeovers alike. After success `request` points into `bytes`.
//
// A view with an address instead of an article ID is an error, too: has_address of `request` is then true, and
// NameArticles must come first.
//
// Errors: INVALID_ARGUMENT with BadRequest, which names the field and its index. Thread-safe, since it has no state.
absl::Status DecodeViewsRequest(std::string_view bytes, int64_t receipt_unix_ms, ViewsRequest& request);

}  // namespace viewcount
