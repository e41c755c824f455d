#include "client/cli/decompressor.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>

#include "service/base/check.h"

namespace viewcount::cli {
namespace {

constexpr std::string_view kGzipMagic = "\x1F\x8B", kBzip2Magic = "BZh", kZstdMagic = "\x28\xB5\x2F\xFD";
constexpr std::string_view kXzMagic(
    "\xFD"
    "7zXZ\0",
    6);
// zlib's largest window, plus 16 for gzip's header and checksum in place of zlib's own.
constexpr int kGzipWindowBits = 15 + 16;
// `xz -9` needs 65 MiB.
constexpr uint64_t kXzMemoryMax = uint64_t{256} << 20;
// A window of 128 MiB, which `zstd --ultra -22` needs.
constexpr int kZstdWindowLogMax = 27;

// Returns a size as zlib and bzip2 take it. Larger buffers are processed in several steps.
unsigned ClampedSize(size_t size) {
  return static_cast<unsigned>(std::min<size_t>(size, std::numeric_limits<unsigned>::max()));
}

class GzipDecompressor : public Decompressor {
 public:
  GzipDecompressor() { VIEWCOUNT_CHECK(inflateInit2(&stream_, kGzipWindowBits) == Z_OK); }
  ~GzipDecompressor() override { inflateEnd(&stream_); }

  Step Run(Buffers& buffers) override {
    const unsigned input = ClampedSize(buffers.input_bytes), output = ClampedSize(buffers.output_bytes);
    stream_.next_in = const_cast<unsigned char*>(buffers.input);
    stream_.avail_in = input;
    stream_.next_out = buffers.output;
    stream_.avail_out = output;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    buffers.input += input - stream_.avail_in;
    buffers.input_bytes -= input - stream_.avail_in;
    buffers.output += output - stream_.avail_out;
    buffers.output_bytes -= output - stream_.avail_out;
    if (result == Z_STREAM_END) return Step::kMemberEnd;
    return result == Z_OK || result == Z_BUF_ERROR ? Step::kOk : Step::kBroken;
  }
  void Restart() override { VIEWCOUNT_CHECK(inflateReset(&stream_) == Z_OK); }
  std::string_view magic() const override { return kGzipMagic; }
  std::string problem() const override { return stream_.msg != nullptr ? stream_.msg : "gzip"; }

 private:
  z_stream stream_{};
};

class Bzip2Decompressor : public Decompressor {
 public:
  Bzip2Decompressor() { Begin(); }
  ~Bzip2Decompressor() override { BZ2_bzDecompressEnd(&stream_); }

  Step Run(Buffers& buffers) override {
    const unsigned input = ClampedSize(buffers.input_bytes), output = ClampedSize(buffers.output_bytes);
    stream_.next_in = reinterpret_cast<char*>(const_cast<unsigned char*>(buffers.input));
    stream_.avail_in = input;
    stream_.next_out = reinterpret_cast<char*>(buffers.output);
    stream_.avail_out = output;
    const int result = BZ2_bzDecompress(&stream_);
    buffers.input += input - stream_.avail_in;
    buffers.input_bytes -= input - stream_.avail_in;
    buffers.output += output - stream_.avail_out;
    buffers.output_bytes -= output - stream_.avail_out;
    if (result == BZ_STREAM_END) return Step::kMemberEnd;
    return result == BZ_OK ? Step::kOk : Step::kBroken;
  }
  void Restart() override {
    BZ2_bzDecompressEnd(&stream_);
    Begin();
  }
  std::string_view magic() const override { return kBzip2Magic; }
  std::string problem() const override { return "bzip2"; }

 private:
  void Begin() {
    stream_ = {};
    VIEWCOUNT_CHECK(BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK);
  }

  bz_stream stream_{};
};

class XzDecompressor : public Decompressor {
 public:
  XzDecompressor() { Restart(); }
  ~XzDecompressor() override { lzma_end(&stream_); }

  Step Run(Buffers& buffers) override {
    stream_.next_in = buffers.input;
    stream_.avail_in = buffers.input_bytes;
    stream_.next_out = buffers.output;
    stream_.avail_out = buffers.output_bytes;
    const lzma_ret result = lzma_code(&stream_, LZMA_RUN);
    buffers = {stream_.next_in, stream_.avail_in, stream_.next_out, stream_.avail_out};
    if (result == LZMA_STREAM_END) return Step::kMemberEnd;
    if (result == LZMA_OK || result == LZMA_BUF_ERROR) return Step::kOk;
    problem_ = result == LZMA_MEMLIMIT_ERROR ? "xz needs more than 256 MiB" : "xz";
    return Step::kBroken;
  }
  void Restart() override { VIEWCOUNT_CHECK(lzma_stream_decoder(&stream_, kXzMemoryMax, 0) == LZMA_OK); }
  std::string_view magic() const override { return kXzMagic; }
  std::string problem() const override { return problem_; }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  std::string problem_;
};

class ZstdDecompressor : public Decompressor {
 public:
  ZstdDecompressor() : stream_(ZSTD_createDStream()) {
    VIEWCOUNT_CHECK(stream_ != nullptr);
    VIEWCOUNT_CHECK(ZSTD_isError(ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kZstdWindowLogMax)) == 0);
  }
  ~ZstdDecompressor() override { ZSTD_freeDStream(stream_); }
  ZstdDecompressor(const ZstdDecompressor&) = delete;
  ZstdDecompressor& operator=(const ZstdDecompressor&) = delete;

  Step Run(Buffers& buffers) override {
    ZSTD_inBuffer input = {buffers.input, buffers.input_bytes, 0};
    ZSTD_outBuffer output = {buffers.output, buffers.output_bytes, 0};
    const size_t result = ZSTD_decompressStream(stream_, &output, &input);
    buffers = {buffers.input + input.pos, buffers.input_bytes - input.pos, buffers.output + output.pos,
               buffers.output_bytes - output.pos};
    if (ZSTD_isError(result) != 0) {
      problem_ = ZSTD_getErrorName(result);
      return Step::kBroken;
    }
    return result == 0 ? Step::kMemberEnd : Step::kOk;
  }
  void Restart() override { ZSTD_DCtx_reset(stream_, ZSTD_reset_session_only); }
  std::string_view magic() const override { return kZstdMagic; }
  std::string problem() const override { return problem_; }

 private:
  ZSTD_DStream* const stream_;
  std::string problem_;
};

}  // namespace

std::unique_ptr<Decompressor> Decompressor::Detect(std::string_view beginning) {
  const auto begins_with = [&](std::string_view magic) { return beginning.substr(0, magic.size()) == magic; };
  if (begins_with(kGzipMagic)) return std::make_unique<GzipDecompressor>();
  // The fourth byte of bzip2 is the size of its blocks. Without it a log may begin with the same letters.
  if (begins_with(kBzip2Magic) && beginning.size() > 3 && beginning[3] >= '1' && beginning[3] <= '9') {
    return std::make_unique<Bzip2Decompressor>();
  }
  if (begins_with(kXzMagic)) return std::make_unique<XzDecompressor>();
  if (begins_with(kZstdMagic)) return std::make_unique<ZstdDecompressor>();
  return nullptr;
}

}  // namespace viewcount::cli
