#include "client/cli/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/cpp/batch_sender.h"
#include "client/cpp/rpc_error.h"
#include "service/addresses/article_rule.h"
#include "service/addresses/rule_message.h"
#include "service/base/status.h"

namespace viewcount::cli {
namespace {

// The number of sites that an error names. There may be thousands of sites.
constexpr int kSitesNamedMax = 10;

}  // namespace

Session::Session(GlobalOptions options)
    : options_(std::move(options)),
      channel_(client::MakeChannel(options_.server)),
      ingest_(v1::IngestService::NewStub(channel_)),
      query_(v1::QueryService::NewStub(channel_)),
      admin_(v1::AdminService::NewStub(channel_)) {}

absl::StatusOr<std::string> Session::Site() {
  if (!options_.site.empty()) return options_.site;
  const auto site = ExistingSite();
  if (!site.ok()) return site.status();
  return site->name();
}

absl::StatusOr<std::vector<std::string>> Session::ArticlesAt(const std::vector<std::string>& addresses) {
  const auto site = ExistingSite();
  if (!site.ok()) return site.status();
  const auto rule = ArticleRule::Make(RuleSettingsOf(*site));
  if (!rule.ok()) return rule.status();
  std::vector<std::string> ids;
  for (const std::string& address : addresses) {
    auto named = rule->Name(address);
    if (!named.ok())
      return WithMessage(named.status(), fmt::format("{}: {}", address, ToStd(named.status().message())));
    ids.push_back(std::move(named->article_id));
  }
  return ids;
}

absl::StatusOr<v1::Site> Session::ExistingSite() {
  const auto response = Call(admin(), &v1::AdminService::Stub::ListSites, v1::ListSitesRequest());
  if (!response.ok()) return response.status();
  const auto& sites = response->sites();
  if (!options_.site.empty()) {
    const auto found = std::ranges::find(sites, options_.site, [](const v1::Site& site) { return site.name(); });
    if (found == sites.end()) return UnknownSite(options_.site);
    return *found;
  }
  if (sites.size() == 1) return sites[0];
  if (sites.empty()) return absl::NotFoundError("there is no site yet; create one with: viewcount site put NAME");
  std::string names;
  for (int i = 0; i < std::min(sites.size(), kSitesNamedMax); ++i) names += (i > 0 ? ", " : "") + sites[i].name();
  if (sites.size() > kSitesNamedMax) names += ", ...";
  return absl::FailedPreconditionError(
      fmt::format("there are {} sites ({}); choose one with --site NAME", sites.size(), names));
}

absl::Status Session::Explain(const grpc::Status& status) const {
  auto error = client::ToAbslStatus(status);
  if (ExitCodeOf(error) == ExitCode::kUnreachable) {
    if (absl::IsDeadlineExceeded(error)) {
      return WithMessage(error, fmt::format("no answer from {} within {} s; try again with a longer --timeout",
                                            options_.server, options_.timeout));
    }
    return WithMessage(error, fmt::format("no service at {} ({}); start viewcountd or name its address with --server",
                                          options_.server, status.error_message()));
  }
  if (absl::IsUnimplemented(error) && status.error_message().empty()) {
    return WithMessage(error, fmt::format("what listens at {} does not know this command; is it viewcountd, and as new "
                                          "as this program?",
                                          options_.server));
  }
  if (const auto delay = client::DetailsOf(status).retry_delay) {
    return WithMessage(error, fmt::format("{}; try again in {} ms", status.error_message(), delay->count()));
  }
  return error;
}

}  // namespace viewcount::cli
