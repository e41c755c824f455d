// Decompresses gzip, bzip2, xz and Zstandard.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace viewcount::cli {

// The length of the beginning that Detect needs.
inline constexpr size_t kMagicBytesMax = 6;

// Decompresses the members of one file, one after the other. Several members form one text, as in the programs that
// write them. Uses at most 256 MiB of memory. Not thread-safe.
class Decompressor {
 public:
  enum class Step {
    // Some input was consumed or some output was written, unless there was no input or no room.
    kOk,
    // The member ended. Restart before the next one.
    kMemberEnd,
    // The input is broken; see problem().
    kBroken,
  };
  // The input that is left, and the room that is left for output. Run advances both.
  struct Buffers {
    const unsigned char* input = nullptr;
    size_t input_bytes = 0;
    unsigned char* output = nullptr;
    size_t output_bytes = 0;
  };

  virtual ~Decompressor() = default;

  virtual Step Run(Buffers& buffers) = 0;
  // Prepares for the next member.
  virtual void Restart() = 0;
  // The bytes with which each member begins.
  virtual std::string_view magic() const = 0;
  // The problem after kBroken.
  virtual std::string problem() const = 0;

  // Returns the decompressor for a file that begins with `beginning`, or null for a file that is not compressed.
  static std::unique_ptr<Decompressor> Detect(std::string_view beginning);
};

}  // namespace viewcount::cli
