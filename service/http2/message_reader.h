// gRPC's framing of messages within a call: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// What a string takes beside itself.
inline size_t HeapBytes(const std::string& text) {
  return text.capacity() > std::string().capacity() ? text.capacity() + 1 : 0;
}

// Puts together the messages of one direction of one call. One thread.
class MessageReader {
 public:
  // What stands in front of a message: whether it is compressed, and its length, most significant byte first.
  static constexpr size_t kPrefixBytes = 5;

  // Whether compressed messages may come: `grpc-encoding` was gzip or deflate.
  void AllowCompressed() { may_be_compressed_ = true; }

  // Takes what came next. RESOURCE_EXHAUSTED for a message of more than `message_bytes_max`, also once decompressed;
  // INTERNAL for what is no message. After an error the reader is of no further use.
  absl::Status Add(std::string_view bytes, size_t message_bytes_max);

  // Whether a whole message waits.
  bool has_message() const { return taken_ < messages_.size(); }
  // Whole messages that wait.
  size_t messages() const { return messages_.size() - taken_; }
  // True in the middle of a message.
  bool incomplete() const { return prefix_bytes_ > 0; }
  // Memory held by this reader. Of a message without a byte, too: many of them fit a window.
  size_t bytes() const { return whole_bytes_ + HeapBytes(body_); }
  // The oldest whole message; there must be one.
  std::string Take();
  // Lets go of all that came. The reader is of no further use.
  void Clear();

 private:
  absl::Status Begin(size_t message_bytes_max);
  absl::Status End(size_t message_bytes_max);

  bool may_be_compressed_ = false;
  char prefix_[kPrefixBytes] = {};
  size_t prefix_bytes_ = 0;
  // Of the message that is being read.
  size_t body_bytes_ = 0;
  bool compressed_ = false;
  std::string body_;
  // In order; mostly one. The first ones were taken: thousands may wait, and each is moved a few times at most.
  std::vector<std::string> messages_;
  size_t taken_ = 0;
  size_t whole_bytes_ = 0;
};

// Appends a message, uncompressed, with its prefix.
void AppendMessage(std::string_view message, std::string& out);

}  // namespace viewcount
