#include "service/annotations/annotations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "service/base/hash.h"
#include "service/base/identifiers.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

constexpr size_t kIdDigits = 32;

// The shard of a site's annotations.
Shard AnnotationShardOf(const Site& site) { return ShardOf(ArticleHash(site.seed, "")); }

bool IsAnnotationId(std::string_view text) {
  return text.size() == kIdDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string NewAnnotationId() {
  std::array<uint8_t, kIdDigits / 2> bytes;
  FillRandom(bytes);
  std::string id;
  for (const uint8_t byte : bytes) id += fmt::format("{:02x}", byte);
  return id;
}

// Returns whether the text is one line. An article's ID is one by the same rule.
bool IsLine(std::string_view text, size_t bytes_max) {
  if (text.empty() || text.size() > bytes_max) return false;
  while (text.size() > limits::kArticleIdBytesMax) {
    // The rule for IDs knows shorter texts only, so the text is checked in pieces that end between two characters.
    size_t end = 0;
    while (end < limits::kArticleIdBytesMax) {
      const size_t bytes = Utf8SequenceBytes(text, end);
      if (bytes == 0) return false;
      if (end + bytes > limits::kArticleIdBytesMax) break;
      end += bytes;
    }
    if (!IsArticleId(text.substr(0, end))) return false;
    text.remove_prefix(end);
  }
  return IsArticleId(text);
}

absl::Status Check(const v1::Annotation& annotation) {
  if (!annotation.annotation_id().empty() && !IsAnnotationId(annotation.annotation_id())) {
    return InvalidField("annotation.annotation_id", "must be 32 hexadecimal digits, or empty for a new annotation");
  }
  if (!annotation.has_time()) return InvalidField("annotation.time", "must be set");
  const auto& time = annotation.time();
  if (time.seconds() < 0 || time.seconds() > limits::kEventTimeUnixMsMax / 1'000 || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return InvalidField("annotation.time", "must be a time from the year 1970 to 9999");
  }
  for (const auto& [field, text, bytes_max] :
       {std::tuple("annotation.text", &annotation.text(), kAnnotationTextBytesMax),
        std::tuple("annotation.who", &annotation.who(), kAnnotationWhoBytesMax)}) {
    if (IsLine(*text, bytes_max)) continue;
    return InvalidField(field, fmt::format("must be one line of 1 to {} bytes without control characters", bytes_max));
  }
  if (annotation.article_id().empty() || IsArticleId(annotation.article_id())) return absl::OkStatus();
  return InvalidField("annotation.article_id", fmt::format("{}, or empty for the whole site", kArticleIdRule));
}

absl::Status Away(const absl::Status& status) {
  return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
}

absl::Status UnknownAnnotation(std::string_view id) {
  return ErrorWithReason(absl::StatusCode::kNotFound,
                         fmt::format("there is no annotation {}; ListAnnotations has those of the site", id),
                         "UNKNOWN_ANNOTATION");
}

}  // namespace

asio::awaitable<absl::Status> Annotations::Put(const v1::PutAnnotationRequest& request,
                                               v1::PutAnnotationResponse& response) {
  if (auto status = Check(request.annotation()); !status.ok()) co_return status;
  const auto site = sites_.Find(request.site());
  if (site == nullptr) co_return sites_.Unknown(request.site());
  const Shard shard = AnnotationShardOf(*site);
  const auto stored = co_await store_.ReadAnnotations(shard, site->name);
  if (!stored.ok()) co_return Away(stored.status());
  v1::Annotation annotation = request.annotation();
  if (annotation.annotation_id().empty()) {
    if (stored->size() >= kAnnotationsMax) {
      co_return absl::ResourceExhaustedError(
          fmt::format("site {} has {} annotations; delete old ones first", site->name, stored->size()));
    }
    annotation.set_annotation_id(NewAnnotationId());
  } else if (!stored->contains(annotation.annotation_id())) {
    co_return UnknownAnnotation(annotation.annotation_id());
  }
  *response.mutable_annotation() = annotation;
  const std::string id = annotation.annotation_id();
  annotation.clear_annotation_id();
  const std::string text = annotation.SerializeAsString();
  const auto status = co_await store_.WriteAnnotation(shard, site->name, id, text);
  if (!status.ok()) co_return Away(status);
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> Annotations::List(const v1::ListAnnotationsRequest& request,
                                                v1::ListAnnotationsResponse& response) {
  const auto site = sites_.Find(request.site());
  if (site == nullptr) co_return sites_.Unknown(request.site());
  const auto stored = co_await store_.ReadAnnotations(AnnotationShardOf(*site), site->name);
  if (!stored.ok()) co_return Away(stored.status());
  std::vector<v1::Annotation> annotations;
  for (const auto& [id, text] : *stored) {
    v1::Annotation annotation;
    if (!annotation.ParseFromString(text)) continue;
    annotation.clear_annotation_id();
    if (!Check(annotation).ok() || !IsAnnotationId(id)) continue;
    annotation.set_annotation_id(id);
    annotations.push_back(std::move(annotation));
  }
  const auto order = [](const v1::Annotation& annotation) {
    return std::tuple(annotation.time().seconds(), annotation.time().nanos(), annotation.annotation_id());
  };
  std::ranges::sort(annotations, {}, order);
  response.mutable_annotations()->Assign(annotations.begin(), annotations.end());
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> Annotations::Delete(const v1::DeleteAnnotationRequest& request,
                                                  v1::DeleteAnnotationResponse&) {
  if (!IsAnnotationId(request.annotation_id())) {
    co_return InvalidField("annotation_id", "must be 32 hexadecimal digits");
  }
  const auto site = sites_.Find(request.site());
  if (site == nullptr) co_return sites_.Unknown(request.site());
  const auto removed = co_await store_.RemoveAnnotation(AnnotationShardOf(*site), site->name, request.annotation_id());
  if (!removed.ok()) co_return Away(removed.status());
  if (!*removed) co_return UnknownAnnotation(request.annotation_id());
  co_return absl::OkStatus();
}

}  // namespace viewcount
