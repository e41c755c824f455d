// A Redis user that a test logs in as, so that it has only the permissions of the user's rules.
#pragma once

#include <sstream>
#include <string>
#include <vector>

namespace viewcount {

// A plain value. `rules` have the form of ACL SETUSER, such as `~vc:* +@all -config`. Empty rules mean the default
// user, who has all permissions.
struct RedisUser {
  static constexpr char kName[] = "counter";
  static constexpr char kPassword[] = "secret";

  std::string rules;

  // Returns the options for redis-server's command line.
  std::vector<std::string> options() const {
    if (rules.empty()) return {};
    std::vector<std::string> words = {"--user", kName, "on", std::string(">") + kPassword};
    std::istringstream text(rules);
    for (std::string word; text >> word;) words.push_back(word);
    return words;
  }
  // Returns the credentials for the URL in --redis.
  std::string credentials() const { return rules.empty() ? "" : std::string(kName) + ":" + kPassword; }
};

}  // namespace viewcount
