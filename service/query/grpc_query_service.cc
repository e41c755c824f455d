#include "service/query/grpc_query_service.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/grpc/spawn.h"
#include "service/query/window.h"

namespace viewcount {
namespace asio = boost::asio;
using google::protobuf::util::TimeUtil;

namespace {

absl::Status CheckIds(const v1::GetCountsRequest& request) {
  const size_t count = request.article_ids_size();
  if (count == 0 || count > limits::kGetCountsArticlesMax) {
    return InvalidField("article_ids", fmt::format("must be 1 to {}, not {}", limits::kGetCountsArticlesMax, count));
  }
  for (size_t i = 0; i < count; ++i) {
    if (!IsArticleId(request.article_ids(static_cast<int>(i)))) {
      return InvalidField(fmt::format("article_ids[{}]", i),
                          "must be 1 to 512 bytes of UTF-8 without control characters");
    }
  }
  return absl::OkStatus();
}

void Fill(const v1::GetCountsRequest& request, const Counts& counts, v1::GetCountsResponse& response) {
  for (int i = 0; i < request.article_ids_size(); ++i) {
    auto* count = response.add_counts();
    count->set_article_id(request.article_ids(i));
    count->set_views(counts.totals[i].views);
    count->set_bot_views(counts.totals[i].bot_views);
  }
  response.set_exact(counts.exact);
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(counts.as_of_unix_ms);
}

// A token names the list it belongs to and the next page's first rank.
std::string ListNameOf(const Site& site, Window window) {
  return fmt::format("{:016x}",
                     Hash64(fmt::format("{}:{}:{}", site.name, static_cast<int>(window.kind), window.number)));
}

std::optional<size_t> OffsetOf(std::string_view token, std::string_view list) {
  if (token.empty()) return 0;
  if (token.size() <= list.size() || !token.starts_with(list) || token[list.size()] != '-') return std::nullopt;
  token.remove_prefix(list.size() + 1);
  size_t offset = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), offset);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return offset;
}

class RefusedWatch final : public grpc::ServerWriteReactor<v1::WatchCountsResponse> {
 public:
  RefusedWatch() { Finish(ToGrpc(NotBuiltYet("WatchCounts"))); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerUnaryReactor* GrpcQueryService::GetCounts(grpc::CallbackServerContext* context,
                                                      const v1::GetCountsRequest* request,
                                                      v1::GetCountsResponse* response) {
  const auto site = parts_.sites.Find(request->site());
  if (site == nullptr) return Answer(context, UnknownSite(request->site()));
  if (auto status = CheckIds(*request); !status.ok()) return Answer(context, status);
  std::vector<std::string> ids(request->article_ids().begin(), request->article_ids().end());
  if (const auto cached = parts_.counts.ReadCached(*site, ids)) {
    Fill(*request, *cached, *response);
    return Answer(context, absl::OkStatus());
  }
  return Spawn(context, parts_.executor,
               [this, site, request, response, ids = std::move(ids)]() -> asio::awaitable<absl::Status> {
                 const auto counts = co_await parts_.counts.Read(site, ids);
                 if (!counts.ok()) co_return counts.status();
                 Fill(*request, *counts, *response);
                 co_return absl::OkStatus();
               });
}

grpc::ServerUnaryReactor* GrpcQueryService::ListPopular(grpc::CallbackServerContext* context,
                                                        const v1::ListPopularRequest* request,
                                                        v1::ListPopularResponse* response) {
  const auto site = parts_.sites.Find(request->site());
  if (site == nullptr) return Answer(context, UnknownSite(request->site()));
  return Spawn(context, parts_.executor,
               [this, site, request, response] { return AnswerPopular(site, *request, *response); });
}

asio::awaitable<absl::Status> GrpcQueryService::AnswerPopular(std::shared_ptr<const Site> site,
                                                              const v1::ListPopularRequest& request,
                                                              v1::ListPopularResponse& response) {
  const auto window = WindowOf(request.window(), *site, parts_.clock.UnixMillis());
  if (!window.ok()) co_return window.status();
  if (!request.section().empty()) co_return NotBuiltYet("a list of one section");
  if (request.page_size() > limits::kPageSizeMax) {
    co_return InvalidField("page_size",
                           fmt::format("must be 1 to {}, or 0 for {}", limits::kPageSizeMax, limits::kPageSizeDefault));
  }
  const std::string list_name = ListNameOf(*site, *window);
  const auto offset = OffsetOf(request.page_token(), list_name);
  if (!offset) co_return InvalidField("page_token", "is not one of this site and window");
  const auto list = co_await parts_.popular.Read(site, *window);
  if (!list.ok()) co_return list.status();

  const size_t page_size = request.page_size() == 0 ? limits::kPageSizeDefault : request.page_size();
  const size_t end = std::min(*offset + page_size, list->articles.size());
  for (size_t i = *offset; i < end; ++i) {
    auto* article = response.add_articles();
    article->set_article_id(list->articles[i].article_id);
    article->set_views(list->articles[i].views);
    article->set_rank(static_cast<uint32_t>(i + 1));
  }
  response.set_exact(list->exact);
  response.set_error_bound(list->error_bound);
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(list->as_of_unix_ms);
  if (end < list->articles.size()) response.set_next_page_token(fmt::format("{}-{}", list_name, end));
  co_return absl::OkStatus();
}

grpc::ServerUnaryReactor* GrpcQueryService::ListTrending(grpc::CallbackServerContext* context,
                                                         const v1::ListTrendingRequest*, v1::ListTrendingResponse*) {
  return Answer(context, NotBuiltYet("ListTrending"));
}

grpc::ServerUnaryReactor* GrpcQueryService::ListRising(grpc::CallbackServerContext* context,
                                                       const v1::ListRisingRequest*, v1::ListRisingResponse*) {
  return Answer(context, NotBuiltYet("ListRising"));
}

grpc::ServerUnaryReactor* GrpcQueryService::ListArticles(grpc::CallbackServerContext* context,
                                                         const v1::ListArticlesRequest*, v1::ListArticlesResponse*) {
  return Answer(context, NotBuiltYet("ListArticles"));
}

grpc::ServerUnaryReactor* GrpcQueryService::GetSeries(grpc::CallbackServerContext* context, const v1::GetSeriesRequest*,
                                                      v1::GetSeriesResponse*) {
  return Answer(context, NotBuiltYet("GetSeries"));
}

grpc::ServerUnaryReactor* GrpcQueryService::GetSiteStats(grpc::CallbackServerContext* context,
                                                         const v1::GetSiteStatsRequest*, v1::GetSiteStatsResponse*) {
  return Answer(context, NotBuiltYet("GetSiteStats"));
}

grpc::ServerWriteReactor<v1::WatchCountsResponse>* GrpcQueryService::WatchCounts(grpc::CallbackServerContext*,
                                                                                 const v1::WatchCountsRequest*) {
  return new RefusedWatch;
}

}  // namespace viewcount
