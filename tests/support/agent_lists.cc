#include "tests/support/agent_lists.h"

// Compiles Boost.JSON as part of this file, so that its library is not needed.
#include <boost/json/src.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace viewcount {
namespace {

boost::json::array ReadList(const char* path, const char* maker) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.empty()) {
    std::fprintf(stderr, "cannot read %s; %s makes it\n", path, maker);
    std::exit(1);
  }
  return boost::json::parse(text).as_array();
}

}  // namespace

std::vector<std::string> CrawlerAgents() {
  std::vector<std::string> agents;
  for (const auto& crawler : ReadList(CRAWLER_LIST, "the build")) {
    const auto* instances = crawler.as_object().if_contains("instances");
    if (instances == nullptr) continue;
    for (const auto& agent : instances->as_array()) agents.emplace_back(agent.as_string());
  }
  return agents;
}

BrowserAgents::BrowserAgents() {
  std::vector<double> weights;
  for (const auto& browser : ReadList(BROWSER_LIST, "`npm ci` in tests/, as tests/run.sh does it,")) {
    agents_.emplace_back(browser.at("userAgent").as_string());
    weights.push_back(browser.at("weight").to_number<double>());
  }
  draw_ = {weights.begin(), weights.end()};
}

}  // namespace viewcount
