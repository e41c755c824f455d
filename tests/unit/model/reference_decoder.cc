#include "tests/unit/model/reference_decoder.h"

#include <cctype>

#include "service/base/limits.h"

namespace viewcount {
namespace {

// The text is known to be UTF-8. A code point consists of the low bits of its first byte and six bits of each later
// byte.
bool HasControlCharacter(const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t code_point = length == 1 ? lead : lead & (0x7F >> length);
    for (size_t i = 1; i < length; ++i) code_point = code_point * 64 + (static_cast<unsigned char>(text[at + i]) % 64);
    if (code_point <= 0x1F || (code_point >= 0x7F && code_point <= 0x9F)) return true;
    at += length;
  }
  return false;
}

bool IsSite(const std::string& name) {
  if (name.empty() || name.size() > limits::kSiteNameBytesMax) return false;
  if (!std::isalnum(static_cast<unsigned char>(name[0]))) return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == name.npos;
}

bool IsWriterInOrder(const v1::RecordViewsRequest& request) {
  if (request.writer_id().empty()) {
    return request.sequence() == 0 && request.sequence_span() == 0 && request.takeovers().empty();
  }
  if (request.writer_id().size() != 16 || request.writer_id() == std::string(16, '\0')) return false;
  if (request.sequence() == 0 || request.sequence() > 0x7FFF'FFFF'FFFF'FFFF) return false;
  if (request.sequence_span() > limits::kSequenceSpanMax) return false;
  if (static_cast<size_t>(request.takeovers_size()) > limits::kTakeoversMax) return false;
  for (int i = 1; i < request.takeovers_size(); ++i) {
    if (request.takeovers(i) < request.takeovers(i - 1)) return false;
  }
  return true;
}

// Checks the view independently of `import`.
bool IsViewInOrder(const v1::View& view) {
  return view.address().empty() && view.canonical_address().empty() && !view.article_id().empty() &&
         view.article_id().size() <= limits::kArticleIdBytesMax && !HasControlCharacter(view.article_id()) &&
         view.count() <= limits::kViewCountMax && view.event_time_unix_ms() >= 0 &&
         view.event_time_unix_ms() <= limits::kEventTimeUnixMsMax;
}

bool IsRecent(const v1::View& view, int64_t receipt_unix_ms) {
  if (view.event_time_unix_ms() == 0) return true;
  const int64_t age = receipt_unix_ms - view.event_time_unix_ms();
  return age <= limits::kEventAgeMax.count() && -age <= limits::kEventAheadMax.count();
}

}  // namespace

ReferenceResult DecodeByReference(const std::string& bytes, int64_t receipt_unix_ms) {
  ReferenceResult result;
  auto& message = result.message;
  result.parsed = message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  if (!result.parsed || bytes.size() > limits::kRequestBytesMax) return result;
  bool valid = IsSite(message.site()) && IsWriterInOrder(message) && v1::Durability_IsValid(message.durability());
  uint64_t sum = 0;
  int views = 0;
  for (const auto& view : message.views()) {
    if (++views > static_cast<int>(limits::kBatchViewsMax) || !IsViewInOrder(view)) {
      valid = false;
      break;
    }
    valid &= message.import() || IsRecent(view, receipt_unix_ms);
    sum += view.count() == 0 ? 1 : view.count();
  }
  result.accepted = valid;
  if (static_cast<size_t>(message.takeovers_size()) <= limits::kTakeoversMax) result.view_count = sum;
  return result;
}

}  // namespace viewcount
