// Says whether any of many literals occurs in a text, in one pass over its bytes, however many literals there are and
// whatever the text is: one look into a table per byte (Aho and Corasick, 1975). Immutable; thread safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

class TextFinder {
 public:
  // The literals are not empty; upper and lower case differ. Together they have fewer than 65,535 bytes, and the table
  // takes at most 2 * their bytes * the number of different bytes in them.
  explicit TextFinder(std::vector<std::string> literals);

  // True if a literal is somewhere in the text. Looks at each byte at most once, and at none behind the first find.
  bool IsIn(std::string_view text) const {
    uint32_t state = 0;
    for (const char c : text) {
      state = next_[state * classes_ + class_of_[static_cast<uint8_t>(c)]];
      if (state == found_) return true;
    }
    return false;
  }

  // What the table takes.
  size_t bytes() const { return next_.size() * sizeof(State); }

 private:
  // How much of which literal the text read so far ends with; 0 is nothing.
  using State = uint16_t;

  struct Trie;

  void AssignClasses(const std::vector<std::string>& literals);
  Trie MakeTrie(const std::vector<std::string>& literals) const;
  void MakeTable(Trie trie);

  // Bytes that no literal has are one class, 0, and each other byte is one of its own.
  std::array<uint8_t, 256> class_of_{};
  uint32_t classes_ = 1;
  // By state and class. States are in order of length, so that those met all the time lie together.
  std::vector<State> next_;
  // The state once a literal was found; the table has no row for it, and the rows are as many.
  uint32_t found_ = 0;
};

}  // namespace viewcount
