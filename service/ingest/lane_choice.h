// Which lane a writer's batches go to.
#pragma once

#include <cstddef>

#include "service/base/identifiers.h"

namespace viewcount {

// The number of the lane among `lanes`: always the same one, whose dedupe table knows the writer.
inline size_t LaneOfWriter(const WriterId& writer, size_t lanes) { return Id128Hash<WriterIdTag>()(writer) % lanes; }

}  // namespace viewcount
