// Announces the articles that sitemaps and feeds name.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>

#include "client/cli/announce_options.h"
#include "client/cli/output.h"
#include "client/cli/session.h"

namespace viewcount::cli {

// The number of sitemaps that one index may name. Further ones are reported and not read.
inline constexpr size_t kSitemapChildrenMax = 1'000;
// The size of a document after it was decompressed. A sitemap has at most 50 MB.
inline constexpr uint64_t kDocumentBytesMax = 256 << 20;

// Reads the documents one after the other, sitemaps first, and announces their articles as they are read. Prints the
// report. A document that cannot be read is reported, and the others are read all the same.
//
// Returns kNoLineUnderstood if no document had an article, and kFailed if a document could not be read to its end.
// Returns the service's errors; articles announced before stay so. Not thread-safe.
absl::StatusOr<ExitCode> AnnounceInBulk(Session& session, const AnnounceCommand& command);

}  // namespace viewcount::cli
