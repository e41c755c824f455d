#include "service/lane/adjustment.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "service/base/check.h"
#include "service/base/identifiers.h"

namespace viewcount {
namespace {

constexpr auto kHighest = static_cast<int64_t>(limits::kCountMax);

// Returns true if the message can be folded. Every message that a parser accepts must be foldable.
bool IsSound(const journal::v1::Adjustment& message) {
  const auto sound = [](const journal::v1::WindowChange& change) {
    return change.kind() >= journal::v1::WINDOW_KIND_ALL_TIME && change.kind() <= journal::v1::WINDOW_KIND_VISIT_DAY &&
           change.views() >= -kHighest && change.views() <= kHighest;
  };
  const auto& import = message.import();
  if (message.has_import() &&
      (import.writer_id().size() != limits::kWriterIdBytes || import.sequence() == 0 || import.sequence_span() == 0)) {
    return false;
  }
  return BytesOfHex(message.adjustment_id()) && message.unix_ms() >= 0 &&
         std::all_of(message.changes().begin(), message.changes().end(), [&](const auto& article) {
           return std::all_of(article.windows().begin(), article.windows().end(), sound);
         });
}

}  // namespace

Adjustment MakeAdjustment(journal::v1::Adjustment message) {
  Adjustment adjustment;
  // An import may have millions of changes, so the store does not keep them as text.
  if (message.has_import() && message.description().empty()) {
    adjustment.message = std::move(message);
    return adjustment;
  }
  adjustment.note_field = fmt::format("{:015}-{}", message.unix_ms(), message.adjustment_id());
  const auto status = google::protobuf::util::MessageToJsonString(message, &adjustment.note_text);
  // The message's texts were checked to be valid UTF-8 before.
  VIEWCOUNT_CHECK(status.ok());
  adjustment.message = std::move(message);
  return adjustment;
}

std::string EncodeAdjustment(const Adjustment& adjustment) { return adjustment.message.SerializeAsString(); }

absl::StatusOr<Adjustment> ParseAdjustment(std::string_view payload) {
  journal::v1::Adjustment message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size())) || !IsSound(message)) {
    return absl::DataLossError("the journal holds a record of an adjustment that viewcountd did not write");
  }
  return MakeAdjustment(std::move(message));
}

absl::StatusOr<Adjustment> ParseAdjustmentNote(std::string_view text) {
  journal::v1::Adjustment message;
  const auto status = google::protobuf::util::JsonStringToMessage(std::string(text), &message);
  if (!status.ok() || !IsSound(message))
    return absl::DataLossError("the store holds a note that viewcountd did not write");
  return MakeAdjustment(std::move(message));
}

ViewsRequest WriterOf(const journal::v1::Adjustment& message) {
  const auto& import = message.import();
  ViewsRequest request;
  std::memcpy(request.writer.bytes.data(), import.writer_id().data(), request.writer.bytes.size());
  request.sequence = import.sequence();
  request.sequence_span = import.sequence_span();
  request.import = true;
  return request;
}

Window WindowOf(const journal::v1::WindowChange& change) {
  switch (change.kind()) {
    case journal::v1::WINDOW_KIND_ALL_TIME:
      return {Window::Kind::kAllTime, 0};
    case journal::v1::WINDOW_KIND_DAY:
      return {Window::Kind::kDay, change.number()};
    case journal::v1::WINDOW_KIND_HOUR:
      return {Window::Kind::kHour, change.number()};
    case journal::v1::WINDOW_KIND_BOTS:
      return {Window::Kind::kBots, 0};
    case journal::v1::WINDOW_KIND_VISITS:
      return {Window::Kind::kVisits, 0};
    case journal::v1::WINDOW_KIND_VISIT_DAY:
      return {Window::Kind::kVisitDay, change.number()};
    default:
      VIEWCOUNT_CHECK(false);
  }
}

journal::v1::WindowChange ChangeOf(Window window, int64_t views) {
  journal::v1::WindowChange change;
  switch (window.kind) {
    case Window::Kind::kAllTime:
      change.set_kind(journal::v1::WINDOW_KIND_ALL_TIME);
      break;
    case Window::Kind::kDay:
      change.set_kind(journal::v1::WINDOW_KIND_DAY);
      break;
    case Window::Kind::kHour:
      change.set_kind(journal::v1::WINDOW_KIND_HOUR);
      break;
    case Window::Kind::kBots:
      change.set_kind(journal::v1::WINDOW_KIND_BOTS);
      break;
    case Window::Kind::kVisits:
      change.set_kind(journal::v1::WINDOW_KIND_VISITS);
      break;
    case Window::Kind::kVisitDay:
      change.set_kind(journal::v1::WINDOW_KIND_VISIT_DAY);
      break;
    case Window::Kind::kViewers:
      // Adjustments never change this window.
      VIEWCOUNT_CHECK(false);
  }
  change.set_number(window.number);
  change.set_views(views);
  return change;
}

}  // namespace viewcount
