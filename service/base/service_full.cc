#include "service/base/service_full.h"

#include "service/base/status.h"

namespace viewcount {
namespace {

constexpr char kReason[] = "SERVICE_FULL";

}  // namespace

absl::Status ServiceFull(std::string_view message, std::string_view full, std::chrono::milliseconds delay) {
  constexpr auto kCode = absl::StatusCode::kResourceExhausted;
  absl::Status status = RetryLater(kCode, message, delay);
  const absl::Status reason = ErrorWithReason(kCode, message, kReason, {{"full", std::string(full)}});
  reason.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) { status.SetPayload(type, payload); });
  return status;
}

std::string FullOf(const absl::Status& status) {
  return ReasonOf(status) == kReason ? MetadataOf(status, "full") : std::string();
}

}  // namespace viewcount
