#include "service/visitors/aho_corasick.h"

#include <algorithm>
#include <limits>

#include "service/base/check.h"

namespace viewcount {

// The literals as a tree of their beginnings. Nodes are in the order of their creation, and 0 is the root. In `next` 0
// means "no child", since the root is not a child of any node.
struct AhoCorasick::Trie {
  uint32_t classes;
  std::vector<State> next;
  std::vector<bool> is_found;

  explicit Trie(uint32_t class_count) : classes(class_count) { Add(); }

  State Add() {
    const size_t node = is_found.size();
    VIEWCOUNT_CHECK(node < std::numeric_limits<State>::max());
    next.resize(next.size() + classes);
    is_found.push_back(false);
    return static_cast<State>(node);
  }
  State& Next(State node, uint32_t byte_class) { return next[node * classes + byte_class]; }
};

AhoCorasick::AhoCorasick(std::vector<std::string> literals) {
  // After sorting, a literal follows the literals with which it begins. It then needs no node of its own.
  std::sort(literals.begin(), literals.end());
  AssignClasses(literals);
  MakeTable(MakeTrie(literals));
}

void AhoCorasick::AssignClasses(const std::vector<std::string>& literals) {
  for (const std::string& literal : literals) {
    VIEWCOUNT_CHECK(!literal.empty());
    for (const char c : literal) {
      uint8_t& byte_class = class_of_[static_cast<uint8_t>(c)];
      if (byte_class == 0) byte_class = static_cast<uint8_t>(classes_++);
    }
  }
  VIEWCOUNT_CHECK(classes_ <= 256);
}

AhoCorasick::Trie AhoCorasick::MakeTrie(const std::vector<std::string>& literals) const {
  Trie trie(classes_);
  for (const std::string& literal : literals) {
    State node = 0;
    for (const char c : literal) {
      if (trie.is_found[node]) break;
      const uint8_t byte_class = class_of_[static_cast<uint8_t>(c)];
      if (trie.Next(node, byte_class) == 0) {
        const State added = trie.Add();
        trie.Next(node, byte_class) = added;
      }
      node = trie.Next(node, byte_class);
    }
    trie.is_found[node] = true;
  }
  return trie;
}

// Builds the Aho-Corasick table breadth-first. `others[node]` is the longest proper suffix of the node's text that is
// also a node. That suffix is on a level above, so its row is complete. If a node has no child for a byte, the row of
// its suffix gives the next state.
void AhoCorasick::MakeTable(Trie trie) {
  std::vector<State> others(trie.is_found.size(), 0);
  // The nodes that get a row, in the order of the rows, and the row of each node.
  std::vector<State> order = {0};
  std::vector<State> row_of(trie.is_found.size(), 0);
  for (size_t row = 0; row < order.size(); ++row) {
    const State node = order[row];
    row_of[node] = static_cast<State>(row);
    for (uint32_t c = 0; c < classes_; ++c) {
      State& child = trie.Next(node, c);
      const State elsewhere = node == 0 ? State{0} : trie.Next(others[node], c);
      if (child == 0) {
        child = elsewhere;
        continue;
      }
      others[child] = elsewhere;
      if (trie.is_found[elsewhere]) trie.is_found[child] = true;
      if (!trie.is_found[child]) order.push_back(child);
    }
  }
  found_ = static_cast<uint32_t>(order.size());
  next_.reserve(order.size() * classes_);
  for (const State node : order) {
    for (uint32_t c = 0; c < classes_; ++c) {
      const State next = trie.Next(node, c);
      next_.push_back(trie.is_found[next] ? static_cast<State>(found_) : row_of[next]);
    }
  }
}

}  // namespace viewcount
