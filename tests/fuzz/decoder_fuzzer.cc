// Fuzzes the request decoder with any bytes. The decoder must accept exactly the bytes that the generated classes parse
// and the limits allow. It must read the same values from them. If the generated classes encode these values, the
// decoder must read the same values again.
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/unknown_field_set.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/base/text.h"
#include "service/model/decoder.h"
#include "tests/unit/model/reference_decoder.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {
namespace {

constexpr int64_t kReceiptUnixMs = 1'750'000'000'123;

v1::RecordViewsRequest ToMessage(const ViewsRequest& request) {
  v1::RecordViewsRequest message;
  message.set_site(std::string(request.site));
  if (!request.writer.IsNone()) {
    message.set_writer_id(request.writer.bytes.data(), request.writer.bytes.size());
    message.set_sequence_span(request.sequence_span);
  }
  message.set_sequence(request.sequence);
  for (const uint64_t first : request.takeovers) message.add_takeovers(first);
  message.set_durability(static_cast<v1::Durability>(request.durability));
  message.set_import(request.import);
  for (const DecodedView& view : request.views) {
    v1::View& other = *message.add_views();
    other.set_article_id(std::string(view.article_id));
    other.set_count(view.count);
    other.set_viewer(view.viewer);
    other.set_event_time_unix_ms(view.event_time_unix_ms);
    other.set_bot(view.bot);
  }
  return message;
}

// Normalises a message as the decoder does: defaults replace zeros, and unknown fields are removed.
v1::RecordViewsRequest Plain(v1::RecordViewsRequest message) {
  message.DiscardUnknownFields();
  if (!message.writer_id().empty() && message.sequence_span() == 0) message.set_sequence_span(1);
  for (v1::View& view : *message.mutable_views()) {
    if (view.count() == 0) view.set_count(1);
    if (view.event_time_unix_ms() == 0) view.set_event_time_unix_ms(kReceiptUnixMs);
  }
  return message;
}

bool IsWithin(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void CheckLimits(const ViewsRequest& request, std::string_view bytes) {
  VIEWCOUNT_CHECK(bytes.size() <= limits::kRequestBytesMax);
  VIEWCOUNT_CHECK(IsSiteName(request.site) && IsWithin(request.site, bytes));
  VIEWCOUNT_CHECK(request.sequence_span >= 1 && request.sequence_span <= limits::kSequenceSpanMax);
  VIEWCOUNT_CHECK(request.writer.IsNone() == (request.sequence == 0));
  VIEWCOUNT_CHECK(request.last_sequence() >= request.sequence);
  VIEWCOUNT_CHECK(request.takeovers.size() <= limits::kTakeoversMax);
  VIEWCOUNT_CHECK(request.views.size() <= limits::kBatchViewsMax);
  uint64_t sum = 0;
  for (const DecodedView& view : request.views) {
    VIEWCOUNT_CHECK(IsArticleId(view.article_id) && IsWithin(view.article_id, bytes));
    VIEWCOUNT_CHECK(view.count >= 1 && view.count <= limits::kViewCountMax);
    VIEWCOUNT_CHECK(view.event_time_unix_ms > 0 && view.event_time_unix_ms <= limits::kEventTimeUnixMsMax);
    const int64_t age = kReceiptUnixMs - view.event_time_unix_ms;
    VIEWCOUNT_CHECK(request.import || (age <= limits::kEventAgeMax.count() && -age <= limits::kEventAheadMax.count()));
    sum += view.count;
  }
  VIEWCOUNT_CHECK(request.view_count == sum);
}

void CheckBytes(std::string_view bytes) {
  // Without the silencer, each string that is not UTF-8 would be logged.
  static google::protobuf::LogSilencer silencer;
  // The request is reused, as in the service, to prove that nothing remains of the message before.
  static ViewsRequest request;
  const absl::Status status = DecodeViewsRequest(bytes, kReceiptUnixMs, request);
  const ReferenceResult reference = DecodeByReference(std::string(bytes), kReceiptUnixMs);
  VIEWCOUNT_CHECK(status.ok() == reference.accepted);
  if (!status.ok()) {
    VIEWCOUNT_CHECK(absl::IsInvalidArgument(status));
    return;
  }
  CheckLimits(request, bytes);
  const std::string encoded = ToMessage(request).SerializeAsString();
  VIEWCOUNT_CHECK(encoded == Plain(reference.message).SerializeAsString());

  static ViewsRequest again;
  // With its defaults written out, the request may exceed the limit on bytes.
  if (encoded.size() > limits::kRequestBytesMax) return;
  VIEWCOUNT_CHECK(DecodeViewsRequest(encoded, kReceiptUnixMs, again).ok());
  VIEWCOUNT_CHECK(ToMessage(again).SerializeAsString() == encoded);
}

}  // namespace
}  // namespace viewcount

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  viewcount::CheckBytes({reinterpret_cast<const char*>(data), size});
  return 0;
}
