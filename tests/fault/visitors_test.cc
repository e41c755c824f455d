// Compares estimates of visitors with a day whose true numbers are known. Meanwhile the service is killed and Redis
// goes back in time.
#include <cmath>
#include <cstdio>
#include <ctime>

#include "client/cpp/writer.h"
#include "service/base/clock.h"
#include "tests/fault/fault_fixture.h"
#include "tests/support/visitor_day.h"
#include "viewcount/v1/admin.grpc.pb.h"
#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount {
namespace {

using std::chrono::seconds;

constexpr int64_t kHourMs = 3'600'000;
// The part of the day that has certainly passed in a LateZone.
constexpr int64_t kDayMs = 22 * kHourMs;
constexpr char kSite[] = "day";
constexpr int kPopular = 100;

int64_t NowMs() { return SystemClock().UnixMillis(); }

// A time zone in which the day began as long ago as possible, but does not end while the test runs.
struct LateZone {
  explicit LateZone(int64_t now_ms) {
    const bool late = now_ms % kHourMs > 50 * kHourMs / 60;
    const int64_t wanted = late ? 22 : 23;
    int64_t ahead = (wanted - now_ms / kHourMs % 24 + 24) % 24;
    if (ahead > 12) ahead -= 24;
    // The signs in these names are reversed (POSIX).
    name = "Etc/GMT" + std::string(ahead > 0 ? "-" : "+") + std::to_string(std::abs(ahead));
  }
  std::string name;
};

void ExpectNear(const char* what, uint64_t told, uint64_t truth, double error_max) {
  const double error = static_cast<double>(told) / static_cast<double>(truth) - 1;
  std::printf("%s: %lu, in truth %lu: %+.2f %%\n", what, told, truth, 100 * error);
  EXPECT_LE(std::abs(error), error_max) << what;
}

class VisitorsTest : public FaultTest {
 protected:
  void SetUp() override {
    FaultTest::SetUp();
    StartService();
    v1::PutSiteRequest request;
    request.mutable_site()->set_name(kSite);
    request.mutable_site()->set_time_zone(zone_.name);
    v1::PutSiteResponse response;
    grpc::ClientContext context;
    const auto status = v1::AdminService::NewStub(service_->NewChannel())->PutSite(&context, request, &response);
    Require(status.ok(), status.error_message());
    client::WriterOptions options;
    options.site = kSite;
    options.server = service_->server();
    options.block_when_full = true;
    writer_ = *client::Writer::Create(std::move(options));
  }

  static std::string IdOf(uint32_t article) { return "article/" + std::to_string(article); }

  // Sends the day's views from one fraction of the day to another, and waits until they are acknowledged.
  void Send(double from, double to) {
    const auto place = [this](double part) {
      return static_cast<size_t>(part * static_cast<double>(day_.views().size()));
    };
    for (size_t i = place(from); i < place(to); ++i) {
      const VisitorDay::View& view = day_.views()[i];
      const auto status = writer_->Record(
          {.article_id = IdOf(view.article), .viewer = day_.HashOf(view.viewer), .event_time_unix_ms = view.unix_ms});
      Require(status.ok(), std::string(status.message()));
    }
    const auto status = writer_->Flush(seconds(120));
    Require(status.ok(), std::string(status.message()) + service_->Log());
  }

  v1::GetSiteStatsResponse Stats() {
    v1::GetSiteStatsRequest request;
    request.set_site(kSite);
    v1::GetSiteStatsResponse response;
    grpc::ClientContext context;
    const auto status = v1::QueryService::NewStub(service_->NewChannel())->GetSiteStats(&context, request, &response);
    Require(status.ok(), status.error_message());
    return response;
  }
  v1::GetCountsResponse PopularCounts() {
    v1::GetCountsRequest request;
    request.set_site(kSite);
    for (uint32_t article = 0; article < kPopular; ++article) request.add_article_ids(IdOf(article));
    v1::GetCountsResponse response;
    grpc::ClientContext context;
    const auto status = v1::QueryService::NewStub(service_->NewChannel())->GetCounts(&context, request, &response);
    Require(status.ok(), status.error_message());
    return response;
  }

  void ExpectTruth() {
    RequireFlushed();
    const auto stats = Stats();
    EXPECT_EQ(stats.views().today(), day_.views().size());
    ExpectNear("visits", stats.visits().today(), day_.CountVisits(), 0.01);
    ExpectNear("viewers", stats.viewers().today(), day_.CountViewers(), 0.02);
    EXPECT_TRUE(stats.viewers().estimated());
    const int64_t as_of = stats.as_of().seconds() * 1'000 + stats.as_of().nanos() / 1'000'000;
    ExpectNear("online now", stats.online_now(), day_.CountOnline(as_of), 0.03);
    const std::vector<uint64_t> viewers = day_.CountViewersByArticle();
    const auto counts = PopularCounts();
    double worst = 0;
    for (int i = 0; i < kPopular; ++i) {
      const double error = static_cast<double>(counts.counts(i).viewers()) / static_cast<double>(viewers[i]) - 1;
      worst = std::max(worst, std::abs(error));
      EXPECT_LE(std::abs(error), 0.03) << i << ": " << counts.counts(i).viewers() << ", in truth " << viewers[i];
    }
    std::printf("viewers of the %d most viewed articles: at worst %.2f %% off\n", kPopular, 100 * worst);
  }

  const int64_t now_ms_ = NowMs();
  const LateZone zone_{now_ms_};
  // The views are the same in every run, except for their times. With random views, one of a hundred estimates would
  // occasionally be wrong by three times its standard error.
  const VisitorDay day_{{.begin_ms = now_ms_ - kDayMs, .end_ms = now_ms_}};
  std::unique_ptr<client::Writer> writer_;
};

TEST_F(VisitorsTest, ADayIsEstimatedWithinItsErrorsWhateverDies) {
  EXPECT_EQ(day_.CountVisits(), 1'000'000u);
  EXPECT_EQ(day_.CountViewers(), 300'000u);
  Send(0, 0.25);
  RequireFlushed();
  redis_.WaitUntilWritten();
  append_only_file_.Save(folder_.path() + "/old");
  Send(0.25, 0.5);
  // The kill happens during a flush, while batches are under way, and in the middle of visits.
  service_->Kill();
  StartService();
  Send(0.5, 0.75);
  redis_.Kill();
  append_only_file_.Restore(folder_.path() + "/old");
  redis_.Start();
  Send(0.75, 1);
  ExpectTruth();
  EXPECT_TRUE(AuditIsClean(service_->server()));
}

}  // namespace
}  // namespace viewcount
