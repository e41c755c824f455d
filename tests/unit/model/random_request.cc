#include "tests/unit/model/random_request.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "service/base/limits.h"

namespace viewcount {
namespace {

// This is Protobuf's nesting limit plus one.
constexpr int kDeepest = 101;

}  // namespace

// Returns the varint, sometimes longer than necessary because of leading zeros.
std::string RandomRequests::Varint(uint64_t value) {
  std::string bytes;
  do {
    bytes.push_back(static_cast<char>((value & 0x7F) | 0x80));
    value >>= 7;
  } while (value != 0);
  if (OneIn(60)) bytes.append(Below(11), '\x80');
  bytes.back() = static_cast<char>(bytes.back() & 0x7F);
  return bytes;
}

std::string RandomRequests::Tag(uint32_t field, uint32_t wire_type) {
  const uint32_t tag = field << 3 | wire_type;
  if (!OneIn(200)) {
    std::string bytes;
    for (uint32_t rest = tag; bytes.empty() || rest != 0; rest >>= 7) {
      if (!bytes.empty()) bytes.back() = static_cast<char>(bytes.back() | 0x80);
      bytes.push_back(static_cast<char>(rest & 0x7F));
    }
    return bytes;
  }
  return Varint(tag);
}

std::string RandomRequests::Bytes(uint32_t field, const std::string& value) {
  const size_t length = OneIn(500) ? value.size() + Below(3) - 1 : value.size();
  return Tag(field, 2) + Varint(length) + value;
}

std::string RandomRequests::AnyValue(uint32_t wire_type, int depth) {
  switch (wire_type) {
    case 0:
      return Varint(AnyNumber());
    case 1:
      return std::string(8, static_cast<char>(Below(256)));
    case 2: {
      const std::string text = Text();
      return Varint(text.size()) + text;
    }
    case 5:
      return std::string(4, static_cast<char>(Below(256)));
    default:
      return depth > 0 ? Unknown(depth - 1) : "";
  }
}

std::string RandomRequests::Group(uint32_t field, int depth) {
  std::string content;
  for (uint64_t i = Below(3); i > 0 && depth > 0; --i) content += Unknown(depth - 1);
  const uint32_t end = OneIn(30) ? field + 1 : field;
  return Tag(field, 3) + content + (OneIn(50) ? "" : Tag(end, 4));
}

// Returns a field that the message does not have.
std::string RandomRequests::Unknown(int depth) {
  const uint32_t field = OneIn(100)  ? 0
                         : OneIn(10) ? static_cast<uint32_t>((1U << 29) - 1 - Below(3))
                                     : static_cast<uint32_t>(9 + Below(40));
  if (OneIn(20)) {
    // Groups are nested in groups, up to the limit and beyond it.
    const auto levels = static_cast<size_t>(OneIn(2) ? Below(kDeepest) : kDeepest - Below(3));
    std::string open, close;
    for (size_t i = 0; i < levels; ++i) open += Tag(11, 3), close += Tag(11, 4);
    return open + close;
  }
  const uint32_t types[] = {0, 1, 2, 5};
  if (OneIn(4)) return Group(field, depth);
  const uint32_t type = OneIn(60) ? static_cast<uint32_t>(4 + Below(4)) : types[Below(4)];
  return Tag(field, type) + AnyValue(type, depth);
}

// Returns one of the message's own field numbers with any wire type, usually a wrong one. Protobuf treats such a field
// as unknown.
std::string RandomRequests::AnyType() {
  const auto field = static_cast<uint32_t>(1 + Below(8));
  const uint32_t types[] = {0, 1, 2, 3, 5, 5};
  const uint32_t type = types[Below(6)];
  return type == 3 ? Group(field, 3) : Tag(field, type) + AnyValue(type, 0);
}

uint64_t RandomRequests::AnyNumber() {
  switch (Below(4)) {
    case 0:
      return Below(3);
    case 1:
      return Below(1 << 20);
    case 2:
      return (uint64_t{1} << Below(64)) + Below(3) - 1;
    default:
      return random_();
  }
}

std::string RandomRequests::Text() {
  static const std::vector<std::string> pieces = {
      "a", "news/2024", "Số",           "\xC2\xA0",     "\xEF\xBF\xBF",     "\xF0\x9F\x98\x80", "-",
      " ", "articles",  "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "0123456789abcdef", "/"};
  static const std::vector<std::string> bad = {"\x01",
                                               "\x1F",
                                               "\x7F",
                                               "\xC2\x80",
                                               "\xC2\x9F",
                                               std::string(1, '\0'),
                                               "\x80",
                                               "\xC0\x80",
                                               "\xC2",
                                               "\xE2\x82",
                                               "\xF0\x9F\x98",
                                               "\xED\xA0\x80",
                                               "\xF4\x90\x80\x80",
                                               "\xE0\x9F\xBF",
                                               "\xF0\x8F\xBF\xBF",
                                               "\xFF"};
  std::string text;
  for (uint64_t i = 1 + Below(5); i > 0; --i) text += pieces[Below(pieces.size())];
  if (OneIn(80)) text.insert(Below(text.size() + 1), bad[Below(bad.size())]);
  return text;
}

std::string RandomRequests::ArticleId() {
  if (OneIn(60)) return std::string(limits::kArticleIdBytesMax - 1 + Below(3), 'x');
  if (OneIn(200)) return "";
  return Text();
}

uint64_t RandomRequests::EventTime() {
  if (OneIn(100)) return AnyNumber();
  const int64_t edges[] = {receipt_unix_ms_ - limits::kEventAgeMax.count(),
                           receipt_unix_ms_ + limits::kEventAheadMax.count(), limits::kEventTimeUnixMsMax, 0};
  if (OneIn(40)) return static_cast<uint64_t>(edges[Below(4)] + static_cast<int64_t>(Below(3)) - 1);
  if (import_ && OneIn(2)) return Below(limits::kEventTimeUnixMsMax);
  return static_cast<uint64_t>(receipt_unix_ms_) - Below(limits::kEventAgeMax.count());
}

std::string RandomRequests::Shuffled(std::vector<std::string> fields) {
  if (OneIn(4)) std::shuffle(fields.begin(), fields.end(), random_);
  std::string bytes;
  for (const auto& field : fields) bytes += field;
  return bytes;
}

std::string RandomRequests::View() {
  std::vector<std::string> fields = {Bytes(1, ArticleId())};
  if (OneIn(3)) {
    const uint64_t edge = limits::kViewCountMax + Below(3) - 1;
    fields.push_back(Number(2, OneIn(60) ? AnyNumber() : OneIn(40) ? edge : Below(1000)));
  }
  if (OneIn(2)) fields.push_back(Tag(3, 1) + std::string(8, static_cast<char>(Below(256))));
  if (OneIn(2)) fields.push_back(Number(4, EventTime()));
  if (OneIn(4)) fields.push_back(Number(5, OneIn(10) ? AnyNumber() : Below(2)));
  if (OneIn(50)) fields.push_back(Unknown(3));
  if (OneIn(60)) fields.push_back(Bytes(1, ArticleId()));
  if (OneIn(60)) fields.push_back(AnyType());
  return Bytes(8, Shuffled(std::move(fields)));
}

std::string RandomRequests::Writer() {
  std::string id(limits::kWriterIdBytes, '\0');
  for (char& c : id) c = static_cast<char>(random_());
  if (OneIn(60)) id.assign(id.size(), '\0');
  if (OneIn(60)) id.resize(15 + Below(3));
  const uint64_t edges[] = {0, 1, (uint64_t{1} << 63) - 1, uint64_t{1} << 63, ~uint64_t{0}};
  const uint64_t sequence = OneIn(60) ? edges[Below(5)] : 1 + Below(uint64_t{1} << 40);
  std::vector<std::string> fields = {Bytes(2, id), Number(3, sequence)};
  if (OneIn(3)) {
    const uint64_t edge = limits::kSequenceSpanMax + Below(3) - 1;
    fields.push_back(Number(4, OneIn(20) ? edge : OneIn(60) ? AnyNumber() : Below(1000)));
  }
  if (OneIn(3)) fields.push_back(Takeovers());
  return Shuffled(std::move(fields));
}

// The takeovers are encoded packed and one by one, in any mixture.
std::string RandomRequests::Takeovers() {
  const uint64_t count = OneIn(20) ? limits::kTakeoversMax - 1 + Below(3) : Below(6);
  std::string bytes, packed;
  uint64_t value = 0;
  const auto flush = [&] { bytes += packed.empty() ? "" : Bytes(5, std::exchange(packed, "")); };
  for (uint64_t i = 0; i < count; ++i) {
    value += OneIn(200) ? -1 : Below(3);
    if (OneIn(3)) {
      flush();
      bytes += Number(5, value);
    } else {
      packed += Varint(value);
    }
  }
  flush();
  return bytes;
}

void RandomRequests::Damage(std::string& bytes) {
  const size_t at = Below(bytes.size() + 1);
  switch (Below(5)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
      break;
    case 1:
      bytes.resize(at);
      break;
    case 2:
      for (uint64_t i = 1 + Below(4); i > 0; --i) bytes.insert(at, 1, static_cast<char>(random_()));
      break;
    case 3:
      bytes.erase(at, 1 + Below(4));
      break;
    default:
      // A part of the message is inserted again at another place.
      bytes.insert(Below(bytes.size() + 1), bytes.substr(at, Below(40)));
      break;
  }
}

std::string RandomRequests::Next() {
  import_ = OneIn(4);
  std::vector<std::string> fields = {Bytes(1, OneIn(100)  ? Text()
                                              : OneIn(60) ? std::string(63 + Below(3), 's')
                                                          : "demo")};
  if (OneIn(2)) fields.push_back(Writer());
  if (OneIn(200)) fields.push_back(OneIn(2) ? Number(3, Below(3)) : OneIn(2) ? Number(4, Below(3)) : Takeovers());
  if (OneIn(2)) fields.push_back(Number(6, OneIn(40) ? AnyNumber() : Below(4)));
  if (import_) fields.push_back(Number(7, OneIn(20) ? AnyNumber() : 1));
  if (OneIn(50)) fields.push_back(Bytes(1, "demo"));
  if (OneIn(30)) fields.push_back(Unknown(3));
  if (OneIn(50)) fields.push_back(AnyType());
  const uint64_t views = OneIn(50) ? Below(60) : Below(6);
  for (uint64_t i = 0; i < views; ++i) fields.push_back(View());
  std::string bytes = Shuffled(std::move(fields));
  if (OneIn(4)) Damage(bytes);
  return bytes;
}

}  // namespace viewcount
