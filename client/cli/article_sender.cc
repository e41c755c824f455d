#include "client/cli/article_sender.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <utility>

#include "client/cli/output.h"
#include "service/base/hash.h"
#include "service/base/limits.h"

namespace viewcount::cli {
namespace {

// Half of what a request may have, because one more article may follow.
constexpr size_t kAnnouncedBytesMax = limits::kRequestBytesMax / 2;

}  // namespace

ArticleSender::ArticleSender(Session& session, std::string site, bool dry_run, AnnounceCounts& counts)
    : session_(session), dry_run_(dry_run), counts_(counts) {
  request_.set_site(std::move(site));
}

absl::Status ArticleSender::Take(v1::Article article) {
  const uint64_t hash = Hash64(article.article_id());
  if (!article.title().empty()) {
    with_title_.insert(hash);
  } else if (with_title_.contains(hash)) {
    ++counts_.known_better;
    return absl::OkStatus();
  }
  if (dry_run_) {
    ++counts_.announced;
    Show(article);
    return absl::OkStatus();
  }
  request_bytes_ += article.ByteSizeLong();
  *request_.add_articles() = std::move(article);
  const bool full = static_cast<size_t>(request_.articles_size()) >= limits::kPutArticlesMax;
  return full || request_bytes_ >= kAnnouncedBytesMax ? Finish() : absl::OkStatus();
}

absl::Status ArticleSender::Finish() {
  if (request_.articles().empty()) return absl::OkStatus();
  const auto response = session_.Call(session_.admin(), &v1::AdminService::Stub::PutArticles, request_);
  if (!response.ok()) return response.status();
  counts_.announced += static_cast<uint64_t>(request_.articles_size());
  request_.clear_articles();
  request_bytes_ = 0;
  return absl::OkStatus();
}

void ArticleSender::Show(const v1::Article& article) {
  if (session_.options().json) {
    std::string json;
    // This fails only for times out of range, which ParseFeedTime refuses.
    if (!google::protobuf::util::MessageToJsonString(article, &json).ok()) return;
    Print(fmt::format("{}\n  {}", std::exchange(shown_, true) ? "," : "", json));
    return;
  }
  std::string text = OneLine(article.article_id());
  for (const std::string* part : {&article.title(), article.sections().empty() ? nullptr : &article.sections(0)}) {
    if (part != nullptr && !part->empty()) text += "  " + OneLine(*part);
  }
  if (article.has_publish_time()) text += "  " + TimeText(article.publish_time());
  Print(text + "\n");
}

}  // namespace viewcount::cli
