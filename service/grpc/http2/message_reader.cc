#include "service/grpc/http2/message_reader.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <utility>

#include "service/base/check.h"
#include "service/base/status.h"

namespace viewcount {
namespace {

// A sender that announces a large message has not sent it yet. So memory grows with the bytes received, not with the
// announced length.
constexpr size_t kReserveBytesMax = 256 << 10;
constexpr size_t kInflateStepBytes = 16 << 10;
// Messages that were taken are erased from the front of the vector when there are at least this many.
constexpr size_t kTakenMin = 64;
// For inflateInit2: the largest window, and automatic detection of gzip or zlib (deflate) data.
constexpr int kAnyWindow = 15 + 32;

// Returns the memory that a waiting message takes.
size_t HeldBytes(const std::string& message) {
  return sizeof(message) + HeapBytes(message);  // NOLINT(bugprone-sizeof-container)
}

absl::Status TooLarge(size_t bytes, size_t bytes_max) {
  return absl::ResourceExhaustedError(
      ToAbsl("Received message larger than max (" + std::to_string(bytes) + " vs. " + std::to_string(bytes_max) + ")"));
}

absl::Status Inflate(std::string_view compressed, size_t bytes_max, std::string& out) {
  z_stream stream{};
  VIEWCOUNT_CHECK(inflateInit2(&stream, kAnyWindow) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  int result = Z_OK;
  // Inflates into this buffer and not into the message, so that a small message takes little memory.
  std::array<char, kInflateStepBytes> step;
  while (result == Z_OK && out.size() <= bytes_max) {
    stream.next_out = reinterpret_cast<Bytef*>(step.data());
    stream.avail_out = static_cast<uInt>(step.size());
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(step.data(), step.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (out.size() > bytes_max) return TooLarge(out.size(), bytes_max);
  const bool whole = result == Z_STREAM_END && stream.avail_in == 0;
  return whole ? absl::OkStatus() : absl::InternalError("a compressed message could not be read");
}

}  // namespace

absl::Status MessageReader::Add(std::string_view bytes, size_t message_bytes_max) {
  while (!bytes.empty()) {
    if (prefix_bytes_ < kPrefixBytes) {
      const size_t count = std::min(kPrefixBytes - prefix_bytes_, bytes.size());
      std::copy_n(bytes.data(), count, prefix_ + prefix_bytes_);
      prefix_bytes_ += count;
      bytes.remove_prefix(count);
      if (prefix_bytes_ < kPrefixBytes) break;
      if (auto status = Begin(message_bytes_max); !status.ok()) return status;
    }
    const auto part = bytes.substr(0, body_bytes_ - body_.size());
    body_.append(part);
    bytes.remove_prefix(part.size());
    if (body_.size() < body_bytes_) break;
    if (auto status = End(message_bytes_max); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status MessageReader::Begin(size_t message_bytes_max) {
  const auto byte = [&](size_t index) { return static_cast<uint8_t>(prefix_[index]); };
  body_bytes_ = size_t{byte(1)} << 24 | size_t{byte(2)} << 16 | size_t{byte(3)} << 8 | byte(4);
  compressed_ = byte(0) == 1;
  if (byte(0) > 1) return absl::InternalError("a message begins with neither 0 nor 1");
  if (compressed_ && !may_be_compressed_) {
    return absl::InternalError("a message is compressed, and grpc-encoding does not say how");
  }
  if (body_bytes_ > message_bytes_max) return TooLarge(body_bytes_, message_bytes_max);
  body_.reserve(std::min(body_bytes_, kReserveBytesMax));
  return absl::OkStatus();
}

absl::Status MessageReader::End(size_t message_bytes_max) {
  std::string whole = std::exchange(body_, {});
  if (compressed_) {
    std::string inflated;
    if (auto status = Inflate(whole, message_bytes_max, inflated); !status.ok()) return status;
    whole = std::move(inflated);
  }
  whole_bytes_ += HeldBytes(whole);
  messages_.push_back(std::move(whole));
  prefix_bytes_ = 0;
  return absl::OkStatus();
}

std::string MessageReader::Take() {
  whole_bytes_ -= HeldBytes(messages_[taken_]);
  std::string message = std::move(messages_[taken_++]);
  if (taken_ == messages_.size()) {
    messages_.clear();
    taken_ = 0;
  } else if (taken_ >= kTakenMin && 2 * taken_ >= messages_.size()) {
    messages_.erase(messages_.begin(), messages_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
  }
  return message;
}

void MessageReader::Clear() {
  // Assigning an empty value would keep the memory.
  std::string().swap(body_);
  std::vector<std::string>().swap(messages_);
  taken_ = whole_bytes_ = prefix_bytes_ = 0;
}

void AppendMessage(std::string_view message, std::string& out) {
  const auto size = static_cast<uint32_t>(message.size());
  const char prefix[MessageReader::kPrefixBytes] = {0, static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                                                    static_cast<char>(size >> 8), static_cast<char>(size)};
  out.append(prefix, sizeof(prefix)).append(message);
}

}  // namespace viewcount
