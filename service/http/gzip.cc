#include "service/http/gzip.h"

#include <zlib.h>

#include "service/base/check.h"

namespace viewcount {

std::string Gzip(std::string_view text, GzipLevel level) {
  constexpr int kGzipWindow = 15 + 16;
  constexpr int kMemoryMax = 9;
  z_stream stream{};
  const int zlib_level = level == GzipLevel::kBest ? Z_BEST_COMPRESSION : Z_BEST_SPEED;
  VIEWCOUNT_CHECK(deflateInit2(&stream, zlib_level, Z_DEFLATED, kGzipWindow, kMemoryMax, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string compressed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  VIEWCOUNT_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  return compressed;
}

// Returns true if Accept-Encoding contains gzip. A weight of 0, which would forbid gzip, does not occur in practice.
bool TakesGzip(const HttpRequest& request) {
  const auto encodings = request[http::field::accept_encoding];
  return encodings.find("gzip") != boost::beast::string_view::npos;
}

}  // namespace viewcount
