// The hosts of the sitemaps that an index names.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace viewcount::cli {

// Returns the only host whose sitemaps are read: the index's, or that of the first sitemap if the index is a file and
// `index_host` is empty. Empty if no sitemap has a host. Thread-safe.
std::string HostOfSitemaps(const std::string& index_host, const std::vector<std::string>& sitemaps);

// Removes the sitemaps at other hosts than `host`, and returns their numbers by host. Those that are no addresses on
// the web stay. Thread-safe.
std::map<std::string, uint64_t> RemoveOtherHosts(const std::string& host, std::vector<std::string>& sitemaps);

// Some sitemaps of an index at another host than the others.
struct OtherHost {
  // The index as it is shown.
  std::string index;
  bool index_is_file = false;
  // The only host whose sitemaps are read.
  std::string host;
  std::string other;
  // The number of sitemaps at `other`.
  uint64_t sitemaps = 0;
};

// Says that the sitemaps are skipped, and what to do. Pure function; thread-safe.
std::string OtherHostProblem(const OtherHost& hosts);

}  // namespace viewcount::cli
