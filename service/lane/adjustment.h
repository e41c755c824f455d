// An administrator's change of counts as a lane journals, folds and flushes it.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "service/store/count_store.h"
#include "viewcount/journal/v1/adjustment.pb.h"

namespace viewcount {

// A value, immutable once made: any thread may read it.
struct Adjustment {
  journal::v1::Adjustment message;
  // What the store keeps of it for people, and for taking it back: the message as JSON, under a name that sorts by
  // time. A pure function of the message, so that folding it again gives the same note.
  std::string note_field;
  std::string note_text;
};

Adjustment MakeAdjustment(journal::v1::Adjustment message);
// The journal's payload. DATA_LOSS for bytes that are no adjustment.
std::string EncodeAdjustment(const Adjustment& adjustment);
absl::StatusOr<Adjustment> ParseAdjustment(std::string_view payload);
// The adjustment of a note's text. DATA_LOSS for a text that nobody of us wrote.
absl::StatusOr<Adjustment> ParseAdjustmentNote(std::string_view text);

// The window that `change` names, and the change of `views` in `window`. The kind must be a written one.
Window WindowOf(const journal::v1::WindowChange& change);
journal::v1::WindowChange ChangeOf(Window window, int64_t views);

}  // namespace viewcount
