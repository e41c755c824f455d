// How many connections and files the process may have open.
#pragma once

#include <cstddef>

namespace viewcount {

// Raises the soft limit to the hard one, and logs if that is not enough for `connections` of the public address.
void RaiseDescriptorLimit(size_t connections);

}  // namespace viewcount
