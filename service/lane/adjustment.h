// Defines Adjustment: a change of counts by an administrator, in the form in which a lane journals, folds and flushes
// it.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "service/model/views_request.h"
#include "service/model/window.h"
#include "viewcount/journal/v1/adjustment.pb.h"

namespace viewcount {

// An adjustment and the note that the store keeps about it. A value type: it does not change after MakeAdjustment, so
// any thread may read it.
struct Adjustment {
  journal::v1::Adjustment message;
  // The store keeps a note of each adjustment, for people and for reverting the adjustment. `note_text` is the message
  // as JSON. `note_field` is its name, which sorts by time. Both are pure functions of the message, so folding the
  // adjustment again gives the same note. Both are empty for a part of an import without a description.
  std::string note_field;
  std::string note_text;
};

// Builds the adjustment and its note. All texts of `message` must be valid UTF-8.
Adjustment MakeAdjustment(journal::v1::Adjustment message);
// Converts an adjustment to and from the payload of a journal record. ParseAdjustment returns DATA_LOSS for bytes that
// are not a valid adjustment.
std::string EncodeAdjustment(const Adjustment& adjustment);
absl::StatusOr<Adjustment> ParseAdjustment(std::string_view payload);
// Parses the text of a note, as the store keeps it. Returns DATA_LOSS for a text that this service did not write.
absl::StatusOr<Adjustment> ParseAdjustmentNote(std::string_view text);

// Returns the place of an import's part in the sequences of its writer, in the form that the dedupe table takes.
// Requires `message.has_import()`.
ViewsRequest WriterOf(const journal::v1::Adjustment& message);

// WindowOf returns the window that `change` names; the kind must be one that the journal format defines. ChangeOf
// returns the message that changes `window` by `views`; the kind must be one that administrators can change.
Window WindowOf(const journal::v1::WindowChange& change);
journal::v1::WindowChange ChangeOf(Window window, int64_t views);

}  // namespace viewcount
