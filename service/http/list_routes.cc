#include "service/http/list_routes.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "service/base/status.h"
#include "service/http/api_answer.h"
#include "service/http/parameters.h"
#include "service/http/question_parameters.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using Answer = awaitable<absl::StatusOr<HttpResponse>>;
using google::protobuf::util::TimeUtil;

// Returns whether an answer may keep Redis busy for a while. Every other window is another list to be read, so
// strangers may choose among few.
bool IsCostly(const v1::ListPopularRequest& question) {
  constexpr std::array<int64_t, 9> kHours = {1, 3, 6, 12, 24, 48, 168, 336, 720};
  if (question.exact_required() || question.window().has_range()) return true;
  if (!question.window().has_last()) return false;
  const auto& last = question.window().last();
  // Times that are no whole hours are refused anyway.
  return last.seconds() % 3'600 == 0 && std::ranges::find(kHours, last.seconds() / 3'600) == kHours.end();
}

absl::Status FillPopular(const Parameters& parameters, v1::ListPopularRequest& question) {
  const auto has = [&](const char* name) { return parameters.Find(name).has_value(); };
  const bool has_span = has("window.last") || has("window.day") || has("window.start") || has("window.end");
  if (const auto all = parameters.Find("window.allTime")) {
    if (has_span) return InvalidField("window", "is either all time or a part of it");
    if (*all != "true") return InvalidField("window.allTime", "must be true");
    question.mutable_window()->set_all_time(true);
  } else if (has_span) {
    if (auto status = FillSpan(parameters, *question.mutable_window()); !status.ok()) return status;
  }
  const auto exact = SwitchOf(parameters, "exactRequired"), previous = SwitchOf(parameters, "withPreviousRank");
  for (const auto* given : {&exact, &previous}) {
    if (!given->ok()) return given->status();
  }
  question.set_exact_required(*exact);
  question.set_with_previous_rank(*previous);
  for (const char* name : {"section", "author", "tag", "language"}) {
    if (auto status = CheckNotEmpty(parameters, name); !status.ok()) return status;
  }
  question.set_section(parameters.Find("section").value_or(""));
  question.set_author(parameters.Find("author").value_or(""));
  question.set_tag(parameters.Find("tag").value_or(""));
  question.set_language(parameters.Find("language").value_or(""));
  const auto within = DurationOf(parameters, "publishedWithin");
  if (!within.ok()) return within.status();
  if (*within) *question.mutable_published_within() = TimeUtil::MillisecondsToDuration(**within);
  question.set_page_token(parameters.Find("pageToken").value_or(""));
  const auto size = NumberOf(parameters, "pageSize");
  if (!size.ok()) return size.status();
  question.set_page_size(size->value_or(0));
  return absl::OkStatus();
}

absl::Status FillArticles(const Parameters& parameters, v1::ListArticlesRequest& question) {
  if (auto status = CheckNotEmpty(parameters, "section"); !status.ok()) return status;
  question.set_section(parameters.Find("section").value_or(""));
  size_t middles = 0;
  for (const char* name : {"article", "address", "canonical", "time"}) {
    const auto values = parameters.All(name);
    middles += values.size();
    if (middles > 1 || (!values.empty() && values[0].empty())) {
      return InvalidField(name, "must not be empty, and the only one of article, address, canonical and time");
    }
  }
  if (const auto article = parameters.Find("article")) question.set_article_id(*article);
  if (const auto address = parameters.Find("address")) question.set_address(*address);
  if (const auto canonical = parameters.Find("canonical")) question.set_canonical_address(*canonical);
  const auto time = TimeOf(parameters, "time");
  if (!time.ok()) return time.status();
  if (*time) *question.mutable_time() = **time;
  const auto before = NumberOf(parameters, "before"), after = NumberOf(parameters, "after");
  if (!before.ok()) return before.status();
  if (!after.ok()) return after.status();
  question.set_before(before->value_or(0));
  question.set_after(after->value_or(0));
  return absl::OkStatus();
}

class Lists {
 public:
  Lists(ListApi& lists, const ClientTrust& trust, asio::any_io_executor store)
      : lists_(lists), trust_(trust), store_(std::move(store)) {}

  Answer Popular(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    v1::ListPopularRequest question;
    question.set_site(site->name);
    if (auto status = FillPopular(*parameters, question); !status.ok()) co_return status;
    if (IsCostly(question) && !trust_.Find(request, request.peer).trusted_backend) {
      co_return ForBackends(
          "exactRequired, for a range, or for a window.last other than 1h, 3h, 6h, 12h, 24h, 48h, 7d, 14d and 30d");
    }
    co_return co_await AnswerFrom(store_, lists_, std::move(question), &ListApi::ListPopular);
  }

  Answer Articles(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    v1::ListArticlesRequest question;
    question.set_site(site->name);
    if (auto status = FillArticles(*parameters, question); !status.ok()) co_return status;
    co_return co_await AnswerFrom(store_, lists_, std::move(question), &ListApi::ListArticles);
  }

 private:
  ListApi& lists_;
  const ClientTrust& trust_;
  const asio::any_io_executor store_;
};

}  // namespace

void AddListRoutes(SiteRoutes& routes, ListApi& api, const ClientTrust& trust, asio::any_io_executor store) {
  const Lists lists(api, trust, std::move(store));
  routes.Add(http::verb::get, "/popular",
             [lists](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return lists.Popular(request, std::move(site));
             },
             {.json = true,
              .cached = true,
              .parameters = {"window.day", "window.allTime", "window.last", "window.start", "window.end", "section",
                             "author", "tag", "language", "publishedWithin", "withPreviousRank", "pageSize",
                             "pageToken", "exactRequired"}});
  routes.Add(http::verb::get, "/articles",
             [lists](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return lists.Articles(request, std::move(site));
             },
             {.json = true,
              .cached = true,
              .parameters = {"article", "address", "canonical", "time", "before", "after", "section"}});
}

}  // namespace viewcount
