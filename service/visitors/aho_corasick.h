// Finds out whether any of many literals occurs in a text. It reads each byte once and makes one table access per byte,
// whatever the text and the number of literals (Aho and Corasick, 1975).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// The automaton of a set of literals. Thread-safe, since it does not change after construction.
class AhoCorasick {
 public:
  // Builds the automaton. The literals must not be empty; they are case-sensitive. Together they must have fewer than
  // 65,535 bytes. The table takes at most 2 * (bytes of the literals) * (number of different bytes in them + 1) bytes.
  explicit AhoCorasick(std::vector<std::string> literals);

  // Returns true if a literal occurs in the text. It reads each byte at most once, and none after the first match.
  bool IsIn(std::string_view text) const {
    uint32_t state = 0;
    for (const char c : text) {
      state = next_[state * classes_ + class_of_[static_cast<uint8_t>(c)]];
      if (state == found_) return true;
    }
    return false;
  }

  // Returns the memory of the table, in bytes.
  size_t bytes() const { return next_.size() * sizeof(State); }

 private:
  // A state of the automaton: the longest beginning of a literal with which the text read so far ends. 0 means none.
  using State = uint16_t;

  struct Trie;

  void AssignClasses(const std::vector<std::string>& literals);
  Trie MakeTrie(const std::vector<std::string>& literals) const;
  void MakeTable(Trie trie);

  // Bytes that no literal contains share class 0. Every other byte has a class of its own.
  std::array<uint8_t, 256> class_of_{};
  uint32_t classes_ = 1;
  // The next state, by state and class. States are in order of length, so the rows that are used most lie together.
  std::vector<State> next_;
  // The state after a match. The table has no row for it; the number equals the number of rows.
  uint32_t found_ = 0;
};

}  // namespace viewcount
