#include "service/http/export_routes.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/base/status.h"
#include "service/http/on_store.h"
#include "service/http/parameters.h"
#include "service/http/problem.h"
#include "service/http/question_parameters.h"
#include "service/query/csv_tables.h"
#include "service/query/window.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using Export = CountExporter::Export;

// The field after the body that has the number of its rows.
constexpr char kRowsTrailer[] = "Viewcount-Rows";

// The body of one export. The export itself lives on the store's thread.
class ExportBody final : public EventSource {
 public:
  ExportBody(std::unique_ptr<Export> running, asio::any_io_executor store, ExportForm form, bool of_all_time)
      : running_(std::move(running)), store_(std::move(store)), form_(form), of_all_time_(of_all_time) {}
  ~ExportBody() override {
    asio::post(store_, [running = std::shared_ptr<Export>(std::move(running_))] {});
  }

  awaitable<std::optional<std::string>> Next() override {
    if (!begun_) {
      begun_ = true;
      std::string head = ExportHead(form_, of_all_time_);
      if (!head.empty()) co_return head;
    }
    if (closed_) co_return std::nullopt;
    const auto piece = co_await OnStore(store_, running_->Next());
    if (!piece.ok() || closed_) co_return std::nullopt;
    if (!piece->has_value()) {
      whole_ = true;
      co_return std::nullopt;
    }
    std::string text;
    v1::ArticleCount count;
    for (size_t i = 0; i < (*piece)->ids.size(); ++i) {
      const ArticleTotals& totals = (*piece)->totals[i];
      count.set_article_id((*piece)->ids[i]);
      count.set_views(totals.views);
      count.set_bot_views(totals.bot_views);
      count.set_viewers(totals.viewers);
      text += ExportRow(count, form_, of_all_time_);
    }
    rows_ += (*piece)->ids.size();
    co_return text;
  }
  void Close() override { closed_ = true; }
  bool has_end() const override { return true; }
  std::optional<End> TakeEnd() override {
    if (!whole_) return std::nullopt;
    return End{fmt::format("{}: {}\r\n", kRowsTrailer, rows_)};
  }

 private:
  std::unique_ptr<Export> running_;
  const asio::any_io_executor store_;
  const ExportForm form_;
  const bool of_all_time_;
  uint64_t rows_ = 0;
  bool begun_ = false;
  bool closed_ = false;
  bool whole_ = false;
};

absl::Status FillExportWindow(const Parameters& parameters, v1::Window& window) {
  const auto has = [&](const char* name) { return parameters.Find(name).has_value(); };
  if (has("window.last") || has("window.day") || has("window.start") || has("window.end")) {
    return FillSpan(parameters, window);
  }
  window.set_all_time(true);
  return absl::OkStatus();
}

class Exports {
 public:
  Exports(CountExporter& exporter, const ClientTrust& trust, asio::any_io_executor store, const Clock& clock)
      : exporter_(exporter), trust_(trust), store_(std::move(store)), clock_(clock) {}

  awaitable<absl::StatusOr<HttpResponse>> Open(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    if (!trust_.Find(request, request.peer).trusted_backend) co_return ForBackends("exports");
    if (request.version() < 11) {
      // The end of the connection would be the only end of the body, so a broken export would look whole.
      co_return Problem(http::status::http_version_not_supported,
                        "exports need HTTP/1.1; a proxy in between may need a setting, such as proxy_http_version 1.1");
    }
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    const std::string format = parameters->Find("format").value_or("csv");
    if (format != "csv" && format != "jsonl") co_return InvalidField("format", "must be csv or jsonl");
    const ExportForm form = format == "csv" ? ExportForm::kCsv : ExportForm::kJsonLines;
    v1::Window window;
    if (auto status = FillExportWindow(*parameters, window); !status.ok()) co_return status;
    auto asked = WindowsOf(window, *site, clock_.UnixMillis());
    if (!asked.ok()) co_return asked.status();
    HttpResponse response;
    response.set(http::field::content_type,
                 form == ExportForm::kCsv ? "text/csv; charset=utf-8; header=present" : "application/jsonl");
    response.set(http::field::cache_control, "no-store");
    response.set(http::field::content_disposition, fmt::format("attachment; filename=\"{}.{}\"", site->name, format));
    response.set(http::field::trailer, kRowsTrailer);
    if (request.method() != http::verb::get) co_return response;
    const bool of_all_time = window.all_time();
    auto begun = co_await OnStore(store_, exporter_.Begin(site, std::move(asked->windows)));
    if (!begun.ok()) co_return begun.status();
    response.events = std::make_unique<ExportBody>(*std::move(begun), store_, form, of_all_time);
    co_return response;
  }

 private:
  CountExporter& exporter_;
  const ClientTrust& trust_;
  const asio::any_io_executor store_;
  const Clock& clock_;
};

}  // namespace

void AddExportRoutes(SiteRoutes& routes, CountExporter& exporter, const ClientTrust& trust, asio::any_io_executor store,
                     const Clock& clock) {
  const Exports exports(exporter, trust, std::move(store), clock);
  routes.Add(http::verb::get, "/export",
             [exports](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return exports.Open(request, std::move(site));
             },
             {.parameters = {"format", "window.last", "window.day", "window.start", "window.end"}});
}

}  // namespace viewcount
