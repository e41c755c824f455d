#include "service/grpc/http2/request_head.h"

#include "service/grpc/http2/grpc_headers.h"
#include "service/grpc/http2/http2_limits.h"

namespace viewcount {
namespace {

// RFC 9113, section 6.5.2, adds this number of bytes to the name and value of each header.
constexpr size_t kHeaderOverhead = 32;

bool IsGrpc(std::string_view content_type) {
  constexpr std::string_view kGrpc = "application/grpc";
  if (!content_type.starts_with(kGrpc)) return false;
  return content_type.size() == kGrpc.size() || content_type[kGrpc.size()] == '+' || content_type[kGrpc.size()] == ';';
}

// Leading and trailing blanks are not part of a header's value (RFC 9110, section 5.5).
std::string_view Trimmed(std::string_view value) {
  constexpr std::string_view kBlanks = " \t";
  const size_t begin = value.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return value.substr(begin, value.find_last_not_of(kBlanks) + 1 - begin);
}

}  // namespace

void RequestHead::Add(std::string_view name, std::string_view value) {
  bytes += name.size() + value.size() + kHeaderOverhead;
  if (too_large()) return;
  value = Trimmed(value);
  if (name == "content-type") {
    is_grpc = IsGrpc(value);
  } else if (name == "grpc-encoding") {
    compressed = value == "gzip" || value == "deflate";
    known_encoding = compressed || value == "identity";
  } else if (name == "grpc-timeout") {
    if (const auto timeout = ParseGrpcTimeout(value)) deadline = std::chrono::steady_clock::now() + *timeout;
  }
}

bool RequestHead::too_large() const { return bytes > limits::kHttp2HeaderBytesMax; }

}  // namespace viewcount
