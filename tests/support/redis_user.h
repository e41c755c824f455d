// A user of a redis-server that a test logs in as, so that it may do no more than its rules say.
#pragma once

#include <sstream>
#include <string>
#include <vector>

namespace viewcount {

// A value. `rules` as ACL SETUSER takes them, such as `~vc:* +@all -config`; none means the default user, who may do
// everything.
struct RedisUser {
  static constexpr char kName[] = "counter";
  static constexpr char kPassword[] = "secret";

  std::string rules;

  // For redis-server's command line.
  std::vector<std::string> options() const {
    if (rules.empty()) return {};
    std::vector<std::string> words = {"--user", kName, "on", std::string(">") + kPassword};
    std::istringstream text(rules);
    for (std::string word; text >> word;) words.push_back(word);
    return words;
  }
  // For the URL in --redis.
  std::string credentials() const { return rules.empty() ? "" : std::string(kName) + ":" + kPassword; }
};

}  // namespace viewcount
