#include "service/http/own_pages.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <utility>

#include "service/base/log.h"
#include "service/base/status.h"

namespace viewcount {
namespace {

namespace http = boost::beast::http;

// Long enough to recognise a name in an error message.
constexpr size_t kQuotedHostBytesMax = 100;

std::string_view FieldOf(const HttpFields& fields, http::field name) {
  const auto value = fields[name];
  return {value.data(), value.size()};
}

// Returns the name in lower case, without port, brackets, and the dot at its end.
std::string NameOfHost(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  std::string_view name = bracketed ? host.substr(1, host.find(']') - 1) : host.substr(0, host.find(':'));
  if (name.ends_with('.')) name.remove_suffix(1);
  return absl::AsciiStrToLower(ToAbsl(name));
}

bool IsSafeName(const std::string& name) {
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  return !error;
}

}  // namespace

OwnPages::OwnPages(std::vector<std::string> names) : names_(std::move(names)) {}

absl::Status OwnPages::CheckRead(const HttpFields& fields) const {
  const std::string_view host = FieldOf(fields, http::field::host);
  const std::string name = NameOfHost(host);
  // HTTP/1.0 knows requests without a host. No browser sends them.
  if (!host.empty() && !IsSafeName(name) && std::ranges::find(names_, name) == names_.end()) {
    return absl::PermissionDeniedError(fmt::format(
        "the admin address is not known as {}; ask for its IP address or localhost, or start viewcountd with "
        "--admin-host and this name",
        EscapeForText(name.substr(0, kQuotedHostBytesMax))));
  }
  // See https://www.w3.org/TR/fetch-metadata/
  const std::string_view from(fields["Sec-Fetch-Site"].data(), fields["Sec-Fetch-Site"].size());
  if (from.empty() || from == "same-origin" || from == "none") return absl::OkStatus();
  return absl::PermissionDeniedError("only this server's own pages may ask here");
}

absl::Status OwnPages::CheckChange(const HttpFields& fields) const {
  if (auto status = CheckRead(fields); !status.ok()) return status;
  const std::string_view type = FieldOf(fields, http::field::content_type);
  const std::string_view media_type = type.substr(0, type.find(';'));
  const std::string_view change(fields[kChangeField].data(), fields[kChangeField].size());
  if (!absl::EqualsIgnoreCase(ToAbsl(media_type), "application/json") || change.empty()) {
    return absl::PermissionDeniedError(
        fmt::format("a change needs Content-Type: application/json and the field {}; programs use gRPC, or the command "
                    "viewcount",
                    kChangeField));
  }
  const std::string_view from(fields["Sec-Fetch-Site"].data(), fields["Sec-Fetch-Site"].size());
  if (from == "same-origin") return absl::OkStatus();
  // Browsers send Sec-Fetch-Site only over TLS and to this machine itself. They send Origin with every POST.
  const std::string_view origin = FieldOf(fields, http::field::origin);
  const size_t host = origin.find("://");
  if (from.empty() && host != std::string_view::npos && !FieldOf(fields, http::field::host).empty() &&
      origin.substr(host + 3) == FieldOf(fields, http::field::host)) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError("only this server's own pages may change something here");
}

}  // namespace viewcount
