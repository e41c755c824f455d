#include "client/cli/import_error.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "client/cli/output.h"
#include "service/base/status.h"

namespace viewcount::cli {
namespace {

std::string CountedSoFar(const ImportPlace& place) {
  if (place.acknowledged_line == 0) return fmt::format("no line of {} is known to be counted", place.name);
  return fmt::format("lines up to {} of {} are counted", place.acknowledged_line, place.name);
}

// Returns what to do to import the lines from `line` on. They are imported as another writer than the file itself.
std::string RestCommand(const ImportPlace& place, uint64_t line) {
  if (place.foreign) {
    return fmt::format(
        "write its header, if it has one, and its lines from {} on to a file of the same name in another "
        "folder, and import that with --overlapping",
        line);
  }
  if (place.name == "-") return fmt::format("... | tail -n +{} | viewcount import access-log -", line);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kPrograms = {
      {{".gz", "zcat"}, {".bz2", "bzcat"}, {".xz", "xzcat"}, {".zst", "zstdcat"}}};
  for (const auto& [suffix, program] : kPrograms) {
    if (!place.name.ends_with(suffix)) continue;
    return fmt::format("{} {} | tail -n +{} | viewcount import access-log -", program, place.name, line);
  }
  return fmt::format("tail -n +{} {} | viewcount import access-log -", line, place.name);
}

}  // namespace

absl::Status ImportError(const client::SendResult& result, const ImportPlace& place) {
  const auto& reason = result.details.reason;
  std::string message;
  if (reason == "UNKNOWN_WRITER" || reason == "SEQUENCE_GAP") {
    message =
        fmt::format("the service has forgotten how far this import had come ({}); {}", reason, CountedSoFar(place));
    if (result.outcome_unknown) {
      message +=
          fmt::format(", and lines {} to {} perhaps, as an attempt had no answer", place.first_line, place.last_line);
    }
    message += fmt::format("; do not import the whole file again, its lines would count twice; to count the rest: {}",
                           RestCommand(place, result.outcome_unknown ? place.last_line + 1 : place.first_line));
  } else {
    message = fmt::format("{}; {}; import it again to go on from there, nothing counts twice",
                          ToStd(result.status.message()), CountedSoFar(place));
  }
  return WithMessage(result.status, message);
}

}  // namespace viewcount::cli
