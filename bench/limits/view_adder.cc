#include "bench/limits/view_adder.h"

#include <cstddef>

namespace viewcount::bench {
namespace {

// The field numbers with their wire types in RecordViewsRequest and View.
constexpr uint64_t kViews = 8 << 3 | 2;
constexpr uint64_t kArticleId = 1 << 3 | 2;
constexpr uint64_t kCount = 2 << 3;

// Reads Protobuf's wire format. Each function returns false if the bytes are malformed. Not thread-safe. The bytes must
// outlive it.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool AtEnd() const { return at_ == end_; }

  bool Varint(uint64_t& value) {
    value = 0;
    for (int shift = 0; at_ != end_ && shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(*at_++);
      value |= uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool Bytes(std::string_view& bytes) {
    uint64_t length;
    if (!Varint(length) || length > static_cast<size_t>(end_ - at_)) return false;
    bytes = {at_, length};
    at_ += length;
    return true;
  }

  bool Skip(uint64_t tag) {
    uint64_t number;
    std::string_view bytes;
    switch (tag & 7) {
      case 0:
        return Varint(number);
      case 1:
        return Fixed(8);
      case 2:
        return Bytes(bytes);
      case 5:
        return Fixed(4);
      default:
        return false;
    }
  }

 private:
  bool Fixed(ptrdiff_t size) {
    if (end_ - at_ < size) return false;
    at_ += size;
    return true;
  }

  const char* at_;
  const char* end_;
};

struct View {
  std::string_view article_id;
  uint64_t count = 1;
};

bool ReadView(std::string_view bytes, View& view) {
  Reader reader(bytes);
  uint64_t tag;
  while (!reader.AtEnd()) {
    if (!reader.Varint(tag)) return false;
    const bool read = tag == kArticleId ? reader.Bytes(view.article_id)
                      : tag == kCount   ? reader.Varint(view.count)
                                        : reader.Skip(tag);
    if (!read) return false;
  }
  return true;
}

}  // namespace

uint64_t ViewAdder::Add(std::string_view message) {
  const std::lock_guard lock(mutex_);
  Reader reader(message);
  uint64_t added = 0;
  uint64_t tag;
  while (!reader.AtEnd()) {
    if (!reader.Varint(tag)) return 0;
    if (tag != kViews) {
      if (!reader.Skip(tag)) return 0;
      continue;
    }
    std::string_view bytes;
    View view;
    if (!reader.Bytes(bytes) || !ReadView(bytes, view)) return 0;
    auto found = views_.find(view.article_id);
    if (found == views_.end()) found = views_.emplace(view.article_id, 0).first;
    found->second += view.count;
    added += view.count;
  }
  return added;
}

}  // namespace viewcount::bench
