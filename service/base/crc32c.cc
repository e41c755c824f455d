#include "service/base/crc32c.h"

#include <isa-l/crc.h>

namespace viewcount {
namespace {

// The library takes lengths as int, so longer inputs are processed in steps.
constexpr size_t kStepBytes = size_t{1} << 30;

}  // namespace

uint32_t Crc32c(std::string_view bytes, uint32_t before) {
  // The library leaves both inversions of the standard to its caller. It takes a non-const pointer but does not write
  // to the bytes.
  uint32_t state = ~before;
  while (!bytes.empty()) {
    const auto step = bytes.substr(0, kStepBytes);
    state = crc32_iscsi(reinterpret_cast<unsigned char*>(const_cast<char*>(step.data())), static_cast<int>(step.size()),
                        state);
    bytes.remove_prefix(step.size());
  }
  return ~state;
}

}  // namespace viewcount
