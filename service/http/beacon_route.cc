#include "service/http/beacon_route.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "service/http/awaited_batch.h"
#include "service/http/beacon.h"
#include "service/http/page_origin.h"
#include "service/http/problem.h"
#include "service/http/response_head.h"
#include "service/http/site_routes.h"
#include "service/http/views_answer.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;

constexpr unsigned kHttp11 = 11;
// The number of cached answers. There is one per site, or one per site and origin if the site restricts its origins.
constexpr size_t kAnswersMax = 256;

bool Same(const IngestResult& a, const IngestResult& b) {
  return std::tie(a.accepted_views, a.duplicate, a.last_sequence, a.durability) ==
         std::tie(b.accepted_views, b.duplicate, b.last_sequence, b.durability);
}

// Caches serialized answers for one second, because an answer contains its date. All beacons of a site get the same
// answer in that second. Used by the server's thread only.
class AnswerCache {
 public:
  std::string_view Find(const std::shared_ptr<const Site>& site, std::string_view origin, const IngestResult& result) {
    const std::time_t now = std::time(nullptr);
    if (now != second_ || answers_.size() >= kAnswersMax) answers_.clear();
    second_ = now;
    key_ = site->name;
    // Only the answers of these sites contain the origin.
    if (!site->settings.allowed_origins.empty()) key_.append("\n").append(origin);
    Answer& answer = answers_[key_];
    if (answer.site != site || !Same(answer.result, result)) {
      HttpResponse response = ViewsAnswer(result);
      AllowReading(origin, *site, response);
      answer = {site, result, Serialize(std::move(response), kHttp11, true)};
    }
    return answer.bytes;
  }

 private:
  struct Answer {
    std::shared_ptr<const Site> site;
    IngestResult result;
    std::string bytes;
  };

  std::time_t second_ = 0;
  std::string key_;
  boost::unordered_flat_map<std::string, Answer> answers_;
};

// State shared by all connections of one server. Used by the server's thread only.
struct Shared {
  const SiteDirectory& sites;
  Ingestor& ingestor;
  const ClientTrust& trust;
  VisitorFinder& visitors;
  BrowserAdmission& admission;
  const PageAnnouncements* pages;
  AnswerCache answers = {};
  // Reused to keep its memory.
  v1::RecordViewsRequest request = {};
};

class BeaconConnection final : public FastPathConnection {
 public:
  BeaconConnection(Shared& shared, CompletionQueue& returns, const asio::ip::address& peer)
      : shared_(shared), batch_(returns), peer_(peer) {}

  size_t Take(std::string_view received) override {
    const auto beacon = ReadBeacon(received);
    if (!beacon) return 0;
    // The general path reads any header.
    if (shared_.trust.header() != kForwardingHeaders.front()) return 0;
    site_ = shared_.sites.Find(beacon->site);
    if (site_ == nullptr || !MayCount(*beacon)) return 0;
    const auto article_id = ArticleOf(*beacon);
    // The general path counts what has no article or does not count.
    if (!article_id) return 0;
    // The general path asks pages to announce themselves.
    if (shared_.pages != nullptr && shared_.pages->MayBeWanted(*site_, site_->Resolve(*article_id))) return 0;
    origin_ = beacon->origin;
    const Client client = ClientOf(*beacon);
    shared_.admission.Prefetch(client, *site_, *article_id);
    const Visitor visitor = shared_.visitors.Find(*beacon, client, *site_);
    // Views that need a question to the store, or a refusal, take the general path.
    if (visitor.rejected || !shared_.admission.AdmitAtOnce(client, *site_, *article_id)) return 0;
    shared_.trust.NoteUnnamed(client, !beacon->forwarded_for.empty() && client.known, peer_);
    shared_.request.Clear();
    shared_.request.set_site(site_->name);
    v1::View& view = *shared_.request.add_views();
    view.set_article_id(article_id->data(), article_id->size());
    view.set_viewer(visitor.viewer);
    view.set_bot(visitor.bot);
    batch_.Submit(shared_.ingestor, shared_.request, visitor.previous_viewer);
    return beacon->bytes;
  }

  asio::awaitable<void> Wait() override { return batch_.Wait(); }

  std::string_view Answer(bool keep_alive) override {
    if (batch_.status().ok() && keep_alive) return shared_.answers.Find(site_, origin_, batch_.result());
    HttpResponse response = batch_.status().ok() ? ViewsAnswer(batch_.result()) : Problem(batch_.status());
    AllowReading(origin_, *site_, response);
    answer_ = Serialize(std::move(response), kHttp11, keep_alive);
    return answer_;
  }

 private:
  // Returns nothing if the address names no article, or one whose views do not count, or if the answer may have a hint.
  std::optional<std::string_view> ArticleOf(const Beacon& beacon) {
    if (beacon.address.empty()) return beacon.article_id;
    auto named = site_->rule.Name(beacon.address, beacon.address_kind);
    if (!named.ok() || named->excluded || !named->dropped.empty()) return std::nullopt;
    named_ = std::move(named->article_id);
    return named_;
  }
  bool MayCount(const Beacon& beacon) const {
    const std::string_view page = PageOrigin(beacon.origin, beacon.referer);
    return page.empty() || site_->Allows(page);
  }
  Client ClientOf(const Beacon& beacon) const {
    // A field that is present has a value that is not empty.
    const auto forwarded_for =
        beacon.forwarded_for.empty() ? std::nullopt : std::optional<std::string_view>(beacon.forwarded_for);
    return shared_.trust.Find(forwarded_for, !beacon.origin.empty(), peer_);
  }

  Shared& shared_;
  AwaitedBatch batch_;
  const asio::ip::address peer_;
  // Belong to the beacon accepted last.
  std::shared_ptr<const Site> site_;
  std::string origin_;
  // The article ID of an address.
  std::string named_;
  std::string answer_;
};

class BeaconRoute final : public FastPathRoute {
 public:
  BeaconRoute(const SiteDirectory& sites, Ingestor& ingestor, const ClientTrust& trust, VisitorFinder& visitors,
              BrowserAdmission& admission, const PageAnnouncements* pages)
      : shared_{.sites = sites,
                .ingestor = ingestor,
                .trust = trust,
                .visitors = visitors,
                .admission = admission,
                .pages = pages} {}

  std::unique_ptr<FastPathConnection> Open(const asio::any_io_executor& executor,
                                           const asio::ip::address& peer) override {
    return std::make_unique<BeaconConnection>(shared_, CompletionQueue::Of(executor), peer);
  }

 private:
  Shared shared_;
};

}  // namespace

std::unique_ptr<FastPathRoute> MakeBeaconRoute(const SiteDirectory& sites, Ingestor& ingestor, const ClientTrust& trust,
                                               VisitorFinder& visitors, BrowserAdmission& admission,
                                               const PageAnnouncements* pages) {
  return std::make_unique<BeaconRoute>(sites, ingestor, trust, visitors, admission, pages);
}

}  // namespace viewcount
