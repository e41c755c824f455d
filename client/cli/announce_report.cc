#include "client/cli/announce_report.h"

#include <fmt/format.h>

#include <string_view>

#include "client/cli/output.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

void AddPart(uint64_t number, std::string_view one, std::string_view many, std::string& text) {
  if (number > 0) text += fmt::format("; {} {}", Grouped(number), number == 1 ? one : many);
}

}  // namespace

std::string AnnounceReportText(const AnnounceCounts& counts, bool dry_run) {
  std::string text = fmt::format("{} {}, from {}", Counted(counts.announced, "article"),
                                 dry_run ? "would be announced" : "announced", Counted(counts.documents, "document"));
  AddPart(counts.left_out, "entry left out", "entries left out", text);
  AddPart(counts.excluded_paths, "entry left out by path", "entries left out by path", text);
  AddPart(counts.known_better, "entry without a title left out, because another has one",
          "entries without a title left out, because others have one", text);
  AddPart(counts.faults.titles_cut, "title cut", "titles cut", text);
  AddPart(counts.faults.fields_left_out, "field left out", "fields left out", text);
  AddPart(counts.documents_failed, "document not read to its end", "documents not read to their end", text);
  return text + "\n";
}

std::string AnnounceReportJson(const AnnounceCounts& counts) {
  return fmt::format(
      " \"announced\": {},\n \"documents\": {},\n \"documentsFailed\": {},\n \"entries\": {},\n \"leftOut\": {},\n"
      " \"excludedPaths\": {},\n \"knownBetter\": {},\n \"titlesCut\": {},\n \"fieldsLeftOut\": {}\n",
      counts.announced, counts.documents, counts.documents_failed, counts.entries, counts.left_out,
      counts.excluded_paths, counts.known_better, counts.faults.titles_cut, counts.faults.fields_left_out);
}

}  // namespace viewcount::cli
