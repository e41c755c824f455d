// Removes what log collectors write before a line: syslog, the journal, containers.
#pragma once

#include <string_view>

namespace viewcount::cli {

// Returns `line` without the prefixes of syslog (RFC 3164 and RFC 5424, with or without a priority), journalctl,
// `docker compose logs`, `docker logs --timestamps` and Kubernetes. Returns any other line unchanged. Several prefixes
// may follow each other. Thread-safe.
std::string_view WithoutPrefixes(std::string_view line);

}  // namespace viewcount::cli
