#include "client/cli/dropped_parameters.h"

#include <algorithm>

#include "service/base/hash.h"

namespace viewcount::cli {
namespace {

constexpr size_t kPathsMax = 1'000;
constexpr size_t kNamesMax = 16;
constexpr size_t kValuesMax = 64;
// A name that is longer is the rest of an address, such as `?/archives/4015.html`, and no parameter.
constexpr size_t kParameterNameMax = 40;

bool IsParameterName(std::string_view name) {
  return !name.empty() && name.size() <= kParameterNameMax && name.find_first_of("/%?") == name.npos;
}

}  // namespace

void DroppedParameters::Add(std::string_view article_id,
                            const std::vector<std::pair<std::string, std::string>>& dropped) {
  if (dropped.empty()) return;
  const auto path = article_id.substr(0, article_id.find('?'));
  auto found = paths_.find(path);
  if (found == paths_.end()) {
    if (paths_.size() >= kPathsMax) return;
    found = paths_.emplace(std::string(path), Parameters()).first;
  }
  auto& parameters = found->second;
  for (const auto& [name, value] : dropped) {
    if (parameters.size() >= kNamesMax && parameters.find(name) == parameters.end()) continue;
    Values& values = parameters[name];
    values.longest = std::max(values.longest, value.size());
    if (values.hashes.size() < kValuesMax) values.hashes.insert(Hash64(value));
  }
}

std::vector<DroppedParameters::Path> DroppedParameters::Top(size_t count) const {
  std::vector<std::pair<size_t, const std::string*>> order;
  for (const auto& [path, parameters] : paths_) {
    size_t most = 0;
    for (const auto& [name, values] : parameters) most = std::max(most, values.hashes.size());
    order.emplace_back(most, &path);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (order.size() > count) order.resize(count);
  std::vector<Path> top;
  for (const auto& [values, path] : order) {
    top.push_back({*path, {}});
    for (const auto& parameter : paths_.at(*path)) top.back().names.push_back(parameter.first);
  }
  return top;
}

std::string DroppedParameters::Suggestion() const {
  // The parameter with the most values under one path is taken. If two have equally many, the longer value is more
  // probably a key than, say, the number of a page.
  std::map<std::string_view, std::pair<size_t, size_t>> scores;
  for (const auto& [path, parameters] : paths_) {
    for (const auto& [name, values] : parameters) {
      if (!IsParameterName(name) || values.longest == 0) continue;
      auto& score = scores[name];
      score.first = std::max(score.first, values.hashes.size());
      score.second = std::max(score.second, values.longest);
    }
  }
  const auto best =
      std::max_element(scores.begin(), scores.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return best == scores.end() ? std::string() : std::string(best->first);
}

}  // namespace viewcount::cli
