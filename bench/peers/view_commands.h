// Views as encoded bytes, which are created before the load begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// The results of a load: views sent, views answered (0 if the server does not answer), and answers that were errors.
struct PeerResult {
  uint64_t sent = 0;
  uint64_t answered = 0;
  uint64_t errors = 0;
  double seconds = 0;
};

// `draws` views of articles drawn by Zipf's law. They are stored consecutively, so any range of views is one piece of
// memory. Immutable.
class ViewCommands {
 public:
  enum class Form { kIncrement, kRank, kStatsd };

  ViewCommands(Form form, size_t articles, size_t draws);

  size_t size() const { return ends_.size() - 1; }
  // Returns the bytes of `count` views from number `first` on. Requires first + count <= size().
  std::string_view Span(size_t first, size_t count) const {
    return std::string_view(bytes_).substr(ends_[first], ends_[first + count] - ends_[first]);
  }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
};

}  // namespace viewcount
