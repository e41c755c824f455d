// What gRPC writes into HTTP/2's headers, as text.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace viewcount {

// The value of `grpc-message`: everything but printable ASCII, and '%' itself, as %XX.
std::string PercentEncode(std::string_view text);

// The value of a header whose name ends in `-bin`: Base64 (RFC 4648).
std::string Base64Encode(std::string_view bytes);

// The value of `grpc-timeout`: at most eight digits and a unit of H, M, S, m, u or n. Nothing if it is none.
std::optional<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view text);

}  // namespace viewcount
