// Generates messages that resemble RecordViewsRequests, but that no generated class would write.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace viewcount {

// Generates an endless sequence of serialized messages from one seed. Not thread-safe. The messages have fields in any
// order and repeated fields. Tags, lengths and numbers may be longer than necessary. They have unknown fields and
// groups, wrong wire types, and values on both sides of every limit. In some messages bytes are changed, cut off or
// added. About half of the messages keep all rules.
class RandomRequests {
 public:
  RandomRequests(uint64_t seed, int64_t receipt_unix_ms) : random_(seed), receipt_unix_ms_(receipt_unix_ms) {}

  std::string Next();

 private:
  bool OneIn(uint32_t n) { return random_() % n == 0; }
  uint64_t Below(uint64_t n) { return random_() % n; }

  // These functions write the parts of the wire format.
  std::string Varint(uint64_t value);
  std::string Tag(uint32_t field, uint32_t wire_type);
  std::string Number(uint32_t field, uint64_t value) { return Tag(field, 0) + Varint(value); }
  std::string Bytes(uint32_t field, const std::string& value);
  std::string AnyValue(uint32_t wire_type, int depth);
  std::string Unknown(int depth);
  std::string Group(uint32_t field, int depth);
  std::string AnyType();

  // These functions return values, most of which are valid.
  uint64_t AnyNumber();
  std::string Text();
  std::string ArticleId();
  uint64_t EventTime();
  std::string View();
  std::string Writer();
  std::string Takeovers();
  std::string Shuffled(std::vector<std::string> fields);

  void Damage(std::string& bytes);

  std::mt19937_64 random_;
  const int64_t receipt_unix_ms_;
  bool import_ = false;
};

}  // namespace viewcount
