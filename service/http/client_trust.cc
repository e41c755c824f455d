#include "service/http/client_trust.h"

#include <boost/beast/http/field.hpp>
#include <string_view>
#include <vector>

namespace viewcount {
namespace {

namespace ip = boost::asio::ip;

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// All entries of all fields of that name, in order.
std::vector<std::string_view> ForwardedFor(const HttpFields& fields) {
  std::vector<std::string_view> entries;
  const auto [begin, end] = fields.equal_range("X-Forwarded-For");
  for (auto field = begin; field != end; ++field) {
    std::string_view rest(field->value().data(), field->value().size());
    while (true) {
      const size_t comma = rest.find(',');
      entries.push_back(Trim(rest.substr(0, comma)));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return entries;
}

}  // namespace

Client ClientTrust::Find(const HttpFields& fields, const ip::address& peer) const {
  Client client{.address = peer};
  const auto entries = ForwardedFor(fields);
  bool known = entries.empty() || proxies_.Contains(peer);
  for (size_t i = entries.size(); i-- > 0 && known && proxies_.Contains(client.address);) {
    boost::system::error_code error;
    const auto address = ip::make_address(entries[i], error);
    // A proxy of ours that writes something else: nobody knows who asks.
    known = !error;
    if (known) client.address = address;
  }
  // Browsers say from which page a request comes; one that runs on a backend's machine is a browser all the same.
  const bool browser = fields.count(boost::beast::http::field::origin) > 0;
  client.trusted_backend = known && !browser && backends_.Contains(client.address);
  return client;
}

}  // namespace viewcount
