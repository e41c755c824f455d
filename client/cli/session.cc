#include "client/cli/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/cpp/batch_sender.h"
#include "client/cpp/rpc_error.h"
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
  return ExistingSite();
}

absl::StatusOr<std::string> Session::ExistingSite() {
  const auto response = Call(admin(), &v1::AdminService::Stub::ListSites, v1::ListSitesRequest());
  if (!response.ok()) return response.status();
  const auto& sites = response->sites();
  if (!options_.site.empty()) {
    const bool exists =
        std::any_of(sites.begin(), sites.end(), [&](const auto& site) { return site.name() == options_.site; });
    if (!exists) return UnknownSite(options_.site);
    return options_.site;
  }
  if (sites.size() == 1) return sites[0].name();
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
