// gRPC's framing of messages within a call: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// Returns the heap memory of a string in bytes, without the string object itself.
inline size_t HeapBytes(const std::string& text) {
  return text.capacity() > std::string().capacity() ? text.capacity() + 1 : 0;
}

// Assembles the messages of one direction of one call. Not thread-safe.
class MessageReader {
 public:
  // The size of a message's prefix: a byte that says whether the message is compressed, and its length in big-endian
  // order.
  static constexpr size_t kPrefixBytes = 5;

  // Allows compressed messages. Called if `grpc-encoding` was gzip or deflate.
  void AllowCompressed() { may_be_compressed_ = true; }

  // Adds the next bytes. Returns RESOURCE_EXHAUSTED for a message of more than `message_bytes_max`, before or after
  // decompression. Returns INTERNAL for bytes that are not a message. After an error the reader must not be used any
  // more.
  absl::Status Add(std::string_view bytes, size_t message_bytes_max);

  // Returns true if a complete message waits.
  bool has_message() const { return taken_ < messages_.size(); }
  // Returns the number of complete messages that wait.
  size_t messages() const { return messages_.size() - taken_; }
  // Returns true if a message has arrived only in part.
  bool incomplete() const { return prefix_bytes_ > 0; }
  // Returns the memory held by this reader in bytes. Empty messages count, too, because many of them fit into a window.
  size_t bytes() const { return whole_bytes_ + HeapBytes(body_); }
  // Removes and returns the oldest complete message. Requires has_message().
  std::string Take();
  // Discards all received messages and frees their memory. The reader must not be used any more.
  void Clear();

 private:
  absl::Status Begin(size_t message_bytes_max);
  absl::Status End(size_t message_bytes_max);

  bool may_be_compressed_ = false;
  char prefix_[kPrefixBytes] = {};
  size_t prefix_bytes_ = 0;
  // The length of the message that is being read.
  size_t body_bytes_ = 0;
  bool compressed_ = false;
  std::string body_;
  // The messages in order of arrival, usually one. The first `taken_` of them were taken already. Thousands may wait,
  // so they are erased in groups, and each is moved a few times at most.
  std::vector<std::string> messages_;
  size_t taken_ = 0;
  size_t whole_bytes_ = 0;
};

// Appends an uncompressed message with its prefix to `out`.
void AppendMessage(std::string_view message, std::string& out);

}  // namespace viewcount
