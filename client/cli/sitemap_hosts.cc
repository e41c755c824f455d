#include "client/cli/sitemap_hosts.h"

#include <fmt/format.h>

#include "client/cli/feed_entry.h"
#include "client/cli/output.h"
#include "client/cli/web_address.h"

namespace viewcount::cli {
namespace {

// Returns whether the hosts are the same except for a www. in front of one of them.
bool DifferByWww(const std::string& a, const std::string& b) { return a == "www." + b || b == "www." + a; }

}  // namespace

std::string HostOfSitemaps(const std::string& index_host, const std::vector<std::string>& sitemaps) {
  if (!index_host.empty()) return index_host;
  for (const std::string& sitemap : sitemaps) {
    if (!IsWebAddress(sitemap)) continue;
    if (auto host = HostOf(sitemap); !host.empty()) return host;
  }
  return "";
}

std::map<std::string, uint64_t> RemoveOtherHosts(const std::string& host, std::vector<std::string>& sitemaps) {
  std::map<std::string, uint64_t> others;
  std::erase_if(sitemaps, [&](const std::string& sitemap) {
    if (!IsWebAddress(sitemap)) return false;
    const std::string other = HostOf(sitemap);
    // An address without a host cannot be fetched, which is reported then.
    if (other.empty() || other == host) return false;
    ++others[other];
    return true;
  });
  return others;
}

std::string OtherHostProblem(const OtherHost& hosts) {
  std::string problem = fmt::format(
      "{} names {} on the host {}, but {} is on {}; skipped, because --any-host is not given", hosts.index,
      Counted(hosts.sitemaps, "sitemap"), hosts.other, hosts.index_is_file ? "its first sitemap" : "it", hosts.host);
  if (!DifferByWww(hosts.host, hosts.other)) return problem;
  return problem + ". If both hosts are the same portal, " +
         (hosts.index_is_file
              ? "give --any-host"
              : fmt::format("give --sitemap the address of the index on {}, or --any-host", hosts.other));
}

}  // namespace viewcount::cli
