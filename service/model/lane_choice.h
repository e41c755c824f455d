// Chooses the lane of a batch.
#pragma once

#include <cstddef>
#include <cstdint>

#include "service/base/identifiers.h"

namespace viewcount {

// Returns the index of a writer's lane among `lanes` lanes. A writer always gets the same lane, whose dedupe table
// knows the writer.
inline size_t LaneOfWriter(const WriterId& writer, size_t lanes) { return Id128Hash<WriterIdTag>()(writer) % lanes; }

// Returns the index of a viewer's lane among `lanes` lanes, for a batch without a writer. A viewer always gets the same
// lane, which knows the viewer's visit. `viewer` must not be 0.
inline size_t LaneOfViewer(uint64_t viewer, size_t lanes) { return viewer % lanes; }

}  // namespace viewcount
