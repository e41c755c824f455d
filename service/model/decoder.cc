#include "service/model/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/model/article_id.h"
#include "service/model/wire_reader.h"

namespace viewcount {
namespace {

// The fields of viewcount.v1.RecordViewsRequest and StreamViewsRequest.
constexpr uint32_t kSite = WireTag(1, WireType::kBytes);
constexpr uint32_t kWriterId = WireTag(2, WireType::kBytes);
constexpr uint32_t kSequence = WireTag(3, WireType::kVarint);
constexpr uint32_t kSequenceSpan = WireTag(4, WireType::kVarint);
constexpr uint32_t kTakeoversPacked = WireTag(5, WireType::kBytes);
constexpr uint32_t kTakeover = WireTag(5, WireType::kVarint);
constexpr uint32_t kDurability = WireTag(6, WireType::kVarint);
constexpr uint32_t kImport = WireTag(7, WireType::kVarint);
constexpr uint32_t kView = WireTag(8, WireType::kBytes);
// The fields of viewcount.v1.View.
constexpr uint32_t kViewArticleId = WireTag(1, WireType::kBytes);
constexpr uint32_t kViewCount = WireTag(2, WireType::kVarint);
constexpr uint32_t kViewViewer = WireTag(3, WireType::kFixed64);
constexpr uint32_t kViewEventTime = WireTag(4, WireType::kVarint);
constexpr uint32_t kViewBot = WireTag(5, WireType::kVarint);
constexpr uint32_t kViewAddress = WireTag(6, WireType::kBytes);
constexpr uint32_t kViewCanonicalAddress = WireTag(7, WireType::kBytes);

constexpr uint64_t kSequenceMax = std::numeric_limits<int64_t>::max();
static_assert(kSequenceMax + limits::kSequenceSpanMax > kSequenceMax, "a batch's last sequence must not overflow");
constexpr auto kDurabilityLast = static_cast<uint32_t>(Durability::kStored);

// The reasons for refusing a view.
enum class ViewFault : uint8_t { kNone, kTooMany, kWire, kAddress, kArticleId, kCount, kEventTime };

// Reads a string field. A repeated field replaces the earlier value, but Protobuf's parser still requires that the
// earlier value is UTF-8.
bool ReadString(WireReader& reader, std::string_view& text) {
  if (!text.empty() && !IsUtf8(text)) [[unlikely]]
    return false;
  return reader.ReadBytes(text);
}

bool ReadBool(WireReader& reader, bool& value) {
  uint64_t wide;
  if (!reader.ReadVarint(wide)) return false;
  value = wide != 0;
  return true;
}

// The addresses of a view. They are empty in a view that names its article.
struct ViewAddresses {
  std::string_view address;
  std::string_view canonical_address;
  // True if one of them is not empty.
  bool any = false;
};

// Reads a field that nearly no view has. Not inlined, so that the switch of the usual fields stays small.
[[gnu::noinline]] bool ReadRareViewField(WireReader& reader, uint32_t tag, ViewAddresses& addresses) {
  // The view itself takes one level of the nesting.
  if (tag != kViewAddress && tag != kViewCanonicalAddress) return reader.SkipValue(tag, kNestingMax - 1);
  const bool read = ReadString(reader, tag == kViewAddress ? addresses.address : addresses.canonical_address);
  addresses.any = !addresses.address.empty() || !addresses.canonical_address.empty();
  return read;
}

bool ReadViewField(WireReader& reader, uint32_t tag, DecodedView& view, ViewAddresses& addresses) {
  switch (tag) {
    case kViewArticleId:
      return ReadString(reader, view.article_id);
    case kViewCount:
      return reader.ReadVarint32(view.count);
    case kViewViewer:
      return reader.ReadFixed64(view.viewer);
    case kViewEventTime: {
      uint64_t time;
      if (!reader.ReadVarint(time)) return false;
      view.event_time_unix_ms = static_cast<int64_t>(time);
      return true;
    }
    case kViewBot:
      return ReadBool(reader, view.bot);
    default:
      return ReadRareViewField(reader, tag, addresses);
  }
}

// One run of the decoder, from the bytes to the result.
class Decoding {
 public:
  Decoding(std::string_view bytes, int64_t receipt_unix_ms, ViewsRequest& request)
      : reader_(bytes),
        receipt_unix_ms_(receipt_unix_ms),
        oldest_unix_ms_(std::max<int64_t>(receipt_unix_ms - limits::kEventAgeMax.count(), 0)),
        newest_unix_ms_(std::min(receipt_unix_ms + limits::kEventAheadMax.count(), limits::kEventTimeUnixMsMax)),
        request_(request) {}

  absl::Status Run() {
    while (!reader_.AtEnd()) {
      uint32_t tag;
      if (!reader_.ReadTag(tag)) return Malformed();
      if (tag == kView) [[likely]] {
        const ViewFault fault = AddView();
        if (fault != ViewFault::kNone) [[unlikely]]
          return ViewError(fault);
      } else {
        if (!ReadField(tag)) return Malformed();
        // The number is checked after each field, so that no message makes the vector grow beyond its limit.
        if (request_.takeovers.size() > limits::kTakeoversMax) return TooManyTakeovers();
      }
    }
    return Validate();
  }

 private:
  ViewFault AddView() {
    if (request_.views.size() == limits::kBatchViewsMax) [[unlikely]]
      return ViewFault::kTooMany;
    DecodedView& view = request_.views.emplace_back();
    view.count = 0;
    WireReader reader{{}};
    if (!reader_.ReadMessage(reader)) return ViewFault::kWire;
    while (!reader.AtEnd()) {
      uint32_t tag;
      if (!reader.ReadTag(tag) || !ReadViewField(reader, tag, view, addresses_)) [[unlikely]]
        return ViewFault::kWire;
    }
    if (addresses_.any) [[unlikely]]
      return ViewFault::kAddress;
    return CheckView(view);
  }

  ViewFault CheckView(DecodedView& view) {
    if (!IsArticleIdFast(view.article_id)) [[unlikely]]
      return ViewFault::kArticleId;
    if (view.count > limits::kViewCountMax) [[unlikely]]
      return ViewFault::kCount;
    view.count += view.count == 0;
    if (view.event_time_unix_ms == 0) {
      view.event_time_unix_ms = receipt_unix_ms_;
    } else if (view.event_time_unix_ms < oldest_unix_ms_ || view.event_time_unix_ms > newest_unix_ms_) {
      if (view.event_time_unix_ms < 0 || view.event_time_unix_ms > limits::kEventTimeUnixMsMax) [[unlikely]] {
        return ViewFault::kEventTime;
      }
      // It is known only at the end whether this is allowed, because `import` may come after the views.
      if (!first_out_of_window_) first_out_of_window_ = request_.views.size() - 1;
    }
    request_.view_count += view.count;
    request_.bot_view_count += view.bot ? view.count : 0;
    request_.known_viewers += view.viewer != 0 ? 1 : 0;
    return ViewFault::kNone;
  }

  bool ReadField(uint32_t tag) {
    switch (tag) {
      case kSite:
        return ReadString(reader_, request_.site);
      case kWriterId:
        return reader_.ReadBytes(writer_id_);
      case kSequence:
        return reader_.ReadVarint(request_.sequence);
      case kSequenceSpan:
        return reader_.ReadVarint32(sequence_span_);
      case kTakeoversPacked:
        return ReadPackedTakeovers();
      case kTakeover:
        return reader_.ReadVarint(request_.takeovers.emplace_back());
      case kDurability:
        return reader_.ReadVarint32(durability_);
      case kImport:
        return ReadBool(reader_, request_.import);
      default:
        return reader_.SkipValue(tag, kNestingMax);
    }
  }

  bool ReadPackedTakeovers() {
    WireReader packed{{}};
    if (!reader_.ReadMessage(packed)) return false;
    while (!packed.AtEnd() && request_.takeovers.size() <= limits::kTakeoversMax) {
      if (!packed.ReadVarint(request_.takeovers.emplace_back())) return false;
    }
    return true;
  }

  // Checks the rules that need the whole message.
  absl::Status Validate();
  absl::Status ValidateWriter();

  absl::Status Malformed() const {
    return InvalidField("request", "is not a viewcount.v1.RecordViewsRequest in Protobuf's wire format");
  }
  static absl::Status TooManyTakeovers() {
    return InvalidField("takeovers", fmt::format("must be at most {}", limits::kTakeoversMax));
  }
  absl::Status ViewError(ViewFault fault) const;

  WireReader reader_;
  const int64_t receipt_unix_ms_;
  // The range of event times that is allowed without `import`.
  const int64_t oldest_unix_ms_;
  const int64_t newest_unix_ms_;
  ViewsRequest& request_;
  std::string_view writer_id_;
  uint32_t sequence_span_ = 0;
  // The addresses of the view that is being read. A view with an address ends the decoding, so the next view finds them
  // empty.
  ViewAddresses addresses_;
  // The value in the message. It may be any number, but only 0 to kDurabilityLast are defined.
  uint32_t durability_ = 0;
  std::optional<size_t> first_out_of_window_;
};

absl::Status Decoding::Validate() {
  if (!IsSiteName(request_.site)) {
    return InvalidField("site", fmt::format("must be 1 to {} of a-z, A-Z, 0-9, '-', '_' and '.', beginning with a "
                                            "letter or digit",
                                            limits::kSiteNameBytesMax));
  }
  if (auto status = ValidateWriter(); !status.ok()) return status;
  if (durability_ > kDurabilityLast) return InvalidField("durability", "must be a value of viewcount.v1.Durability");
  request_.durability = static_cast<Durability>(durability_);
  if (first_out_of_window_ && !request_.import) {
    return InvalidField(fmt::format("views[{}].event_time_unix_ms", *first_out_of_window_),
                        fmt::format("must be 0, or at most {} h before and {} min after receipt; for older views "
                                    "set `import`",
                                    std::chrono::floor<std::chrono::hours>(limits::kEventAgeMax).count(),
                                    std::chrono::floor<std::chrono::minutes>(limits::kEventAheadMax).count()));
  }
  return absl::OkStatus();
}

absl::Status Decoding::ValidateWriter() {
  request_.sequence_span = std::max(sequence_span_, 1U);
  if (writer_id_.empty()) {
    if (request_.sequence != 0) return InvalidField("sequence", "must be 0 without a writer_id");
    if (sequence_span_ != 0) return InvalidField("sequence_span", "must be 0 without a writer_id");
    if (!request_.takeovers.empty()) return InvalidField("takeovers", "must be empty without a writer_id");
    return absl::OkStatus();
  }
  constexpr std::string_view kNotAnId = "must be empty, or 16 bytes that are not all zero";
  if (writer_id_.size() != limits::kWriterIdBytes) return InvalidField("writer_id", kNotAnId);
  std::memcpy(request_.writer.bytes.data(), writer_id_.data(), limits::kWriterIdBytes);
  if (request_.writer.IsNone()) return InvalidField("writer_id", kNotAnId);
  if (request_.sequence < 1 || request_.sequence > kSequenceMax) {
    return InvalidField("sequence", "must be 1 to 2^63-1 with a writer_id");
  }
  if (sequence_span_ > limits::kSequenceSpanMax) {
    return InvalidField("sequence_span", fmt::format("must be at most {}", limits::kSequenceSpanMax));
  }
  if (!std::ranges::is_sorted(request_.takeovers)) return InvalidField("takeovers", "must not be falling");
  return absl::OkStatus();
}

absl::Status Decoding::ViewError(ViewFault fault) const {
  const auto at = [&](std::string_view field) { return fmt::format("views[{}]{}", request_.views.size() - 1, field); };
  switch (fault) {
    case ViewFault::kTooMany:
      return InvalidField("views", fmt::format("must be at most {}", limits::kBatchViewsMax));
    case ViewFault::kAddress:
      request_.has_address = true;
      return InvalidField(at(".address"), "is not an article's ID");
    case ViewFault::kArticleId:
      return InvalidField(at(".article_id"), fmt::format("must be 1 to {} bytes of UTF-8 without control characters",
                                                         limits::kArticleIdBytesMax));
    case ViewFault::kCount:
      return InvalidField(at(".count"), fmt::format("must be at most {}", limits::kViewCountMax));
    case ViewFault::kEventTime:
      return InvalidField(at(".event_time_unix_ms"), "must be a time of the years 1970 to 9999, or 0 for now");
    case ViewFault::kWire:
    case ViewFault::kNone:
      break;
  }
  return InvalidField(at(""), "is not a viewcount.v1.View in Protobuf's wire format");
}

}  // namespace

absl::Status DecodeViewsRequest(std::string_view bytes, int64_t receipt_unix_ms, ViewsRequest& request) {
  request.site = {};
  request.writer = {};
  request.sequence = 0;
  request.sequence_span = 1;
  request.takeovers.clear();
  request.durability = Durability::kUnspecified;
  request.import = false;
  request.views.clear();
  request.view_count = 0;
  request.bot_view_count = 0;
  request.known_viewers = 0;
  request.has_address = false;
  if (bytes.size() > limits::kRequestBytesMax) {
    return InvalidField("request", fmt::format("has {} bytes; must be at most {}: send fewer views at once",
                                               bytes.size(), limits::kRequestBytesMax));
  }
  return Decoding(bytes, receipt_unix_ms, request).Run();
}

}  // namespace viewcount
