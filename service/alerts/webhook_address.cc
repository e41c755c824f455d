#include "service/alerts/webhook_address.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "service/alerts/alert_limits.h"
#include "service/base/address_ranges.h"
#include "service/base/check.h"
#include "service/base/status.h"

namespace viewcount {
namespace {

constexpr char kWebhookField[] = "alert.webhook_url";

AddressRanges RangesOf(const std::vector<std::string>& texts) {
  auto ranges = AddressRanges::Parse(texts);
  VIEWCOUNT_CHECK(ranges.ok());
  return *std::move(ranges);
}

// The IANA registries of special-purpose addresses, without those that are reachable globally. As of 2025.
const AddressRanges& SpecialRanges() {
  static const AddressRanges ranges = RangesOf({
      "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
      "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
      "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",
      "2001::/23",     "2001:db8::/32",   "2002::/16",      "3fff::/20",
  });
  return ranges;
}

const AddressRanges& GlobalUnicast() {
  static const AddressRanges ranges = RangesOf({"2000::/3"});
  return ranges;
}

// Addresses of NAT64, whose last four bytes are an address of IPv4.
const AddressRanges& TranslatedRanges() {
  static const AddressRanges ranges = RangesOf({"64:ff9b::/96"});
  return ranges;
}

boost::asio::ip::address_v4 LastFourBytes(const boost::asio::ip::address_v6& address) {
  const auto bytes = address.to_bytes();
  boost::asio::ip::address_v4::bytes_type last;
  std::copy(bytes.end() - 4, bytes.end(), last.begin());
  return boost::asio::ip::address_v4(last);
}

struct CloseUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, CloseUrl>;

// Returns a part of the address, or an empty text without it.
std::string PartOf(const Url& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) return "";
  std::string result(text);
  curl_free(text);
  return result;
}

// The parts of an address that may be shown.
struct Origin {
  std::string scheme;
  std::string host;
  std::string port;

  std::string text() const { return fmt::format("{}://{}{}{}", scheme, host, port.empty() ? "" : ":", port); }
  // Returns the host without the brackets of IPv6.
  std::string_view bare_host() const {
    const std::string_view bare = host;
    return bare.starts_with('[') && bare.ends_with(']') ? bare.substr(1, bare.size() - 2) : bare;
  }
};

absl::StatusOr<Origin> ParseWebhook(std::string_view address) {
  if (address.size() > kWebhookAddressBytesMax) {
    return InvalidField(kWebhookField, fmt::format("must have at most {} bytes", kWebhookAddressBytesMax));
  }
  const bool printable = std::all_of(address.begin(), address.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  // libcurl would take a host from behind one or three slashes, too.
  const size_t slashes = address.find("://");
  const bool has_host = slashes != std::string_view::npos && slashes == address.find(':') &&
                        slashes + 3 < address.size() && address[slashes + 3] != '/';
  const Url url(curl_url());
  VIEWCOUNT_CHECK(url != nullptr);
  const std::string text(address);
  if (!printable || !has_host ||
      curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return InvalidField(kWebhookField,
                        "must be an address such as https://hooks.example.org/path, of printable ASCII characters");
  }
  Origin origin{PartOf(url, CURLUPART_SCHEME), PartOf(url, CURLUPART_HOST), PartOf(url, CURLUPART_PORT)};
  if (origin.scheme != "http" && origin.scheme != "https") {
    return InvalidField(kWebhookField, "must begin with https:// or http://");
  }
  if (origin.host.empty()) return InvalidField(kWebhookField, "must name a host");
  if (!PartOf(url, CURLUPART_USER).empty() || !PartOf(url, CURLUPART_PASSWORD).empty()) {
    return InvalidField(kWebhookField, "must not have a user or password before the host");
  }
  if (text.find('#') != std::string::npos) return InvalidField(kWebhookField, "must not have a fragment after #");
  return origin;
}

}  // namespace

bool IsPublicAddress(const boost::asio::ip::address& address) {
  if (SpecialRanges().Contains(address)) return false;
  if (address.is_v4() || address.to_v6().is_v4_mapped()) return true;
  if (TranslatedRanges().Contains(address)) return IsPublicAddress(LastFourBytes(address.to_v6()));
  return GlobalUnicast().Contains(address);
}

bool IsAllowedAddress(const boost::asio::ip::address& address, const AddressRanges& allowed) {
  return IsPublicAddress(address) || allowed.Contains(address);
}

absl::StatusOr<std::string> OriginOfWebhook(std::string_view address) {
  const auto origin = ParseWebhook(address);
  if (!origin.ok()) return origin.status();
  return origin->text();
}

absl::Status CheckWebhook(std::string_view address, const AddressRanges& allowed) {
  const auto origin = ParseWebhook(address);
  if (!origin.ok()) return origin.status();
  const bool is_local = origin->bare_host() == "localhost";
  const auto literal = ParseAddress(is_local ? "127.0.0.1" : origin->bare_host());
  if (!literal || IsAllowedAddress(*literal, allowed)) return absl::OkStatus();
  return InvalidField(kWebhookField, fmt::format("must lead to the public internet, and {} does not; viewcountd allows "
                                                 "it with --alert-private-addresses {}",
                                                 origin->text(), literal->to_string()));
}

}  // namespace viewcount
