// Which lane a batch goes to.
#pragma once

#include <cstddef>
#include <cstdint>

#include "service/base/identifiers.h"

namespace viewcount {

// The number of a writer's lane among `lanes`: always the same one, whose dedupe table knows the writer.
inline size_t LaneOfWriter(const WriterId& writer, size_t lanes) { return Id128Hash<WriterIdTag>()(writer) % lanes; }

// The number of a viewer's lane among `lanes`, of a batch without a writer: always the same one, which knows the
// viewer's visit. Not 0.
inline size_t LaneOfViewer(uint64_t viewer, size_t lanes) { return viewer % lanes; }

}  // namespace viewcount
