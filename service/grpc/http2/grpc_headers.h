// Encodes and decodes the values of gRPC's HTTP/2 headers.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace viewcount {

// Returns the value of `grpc-message`: `text` with '%' and all bytes except printable ASCII encoded as %XX.
std::string PercentEncode(std::string_view text);

// Returns the value of a header whose name ends in `-bin`: `bytes` in Base64 (RFC 4648).
std::string Base64Encode(std::string_view bytes);

// Parses the value of `grpc-timeout`: one to eight digits and a unit (H, M, S, m, u or n). Time-outs beyond 100 days
// may be shortened. Returns nothing if `text` is not such a value.
std::optional<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view text);

}  // namespace viewcount
