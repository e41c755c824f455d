#include "service/addresses/dropped_parameters.h"

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "service/base/hash.h"

namespace viewcount {
namespace {

constexpr size_t kHintPathsMax = 5;
// A name that is longer is the rest of an address, such as `?/archives/4015.html`, and no parameter.
constexpr size_t kParameterNameMax = 40;
constexpr int kEvictionsMax = 8;

// Anyone may send any name, and operators paste the suggested command into a shell.
bool IsParameterName(std::string_view name) {
  const auto is_plain = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  return !name.empty() && name.size() <= kParameterNameMax && is_plain(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_plain(c) || c == '.' || c == '-'; });
}

std::string_view PathOf(std::string_view article_id) { return article_id.substr(0, article_id.find('?')); }

}  // namespace

void DroppedParameters::Add(std::string_view article_id,
                            const std::vector<std::pair<std::string, std::string>>& dropped) {
  const auto is_short = [](const auto& parameter) { return parameter.first.size() <= kParameterNameMax; };
  if (std::ranges::none_of(dropped, is_short)) return;
  const auto path = PathOf(article_id);
  auto found = paths_.find(path);
  if (found == paths_.end()) {
    if (!MakeRoom()) return;
    found = paths_.emplace(std::string(path), Parameters()).first;
    order_.emplace_back(path);
  }
  auto& parameters = found->second;
  for (const auto& parameter : dropped) {
    if (!is_short(parameter)) continue;
    const auto& [name, value] = parameter;
    if (parameters.size() >= limits_.names && parameters.find(name) == parameters.end()) continue;
    Values& values = parameters[name];
    values.longest = std::max(values.longest, value.size());
    if (values.hashes.size() < limits_.values) values.hashes.insert(Hash64(value));
  }
}

bool DroppedParameters::MakeRoom() {
  // A few attempts suffice, since few paths have parameters that differ.
  for (int attempt = 0; attempt < kEvictionsMax && paths_.size() >= limits_.paths; ++attempt) {
    const std::string oldest = std::move(order_.front());
    order_.pop_front();
    if (Differs(paths_.find(oldest)->second)) {
      order_.push_back(oldest);
    } else {
      paths_.erase(oldest);
    }
  }
  return paths_.size() < limits_.paths;
}

bool DroppedParameters::Differs(const Parameters& parameters) {
  return std::ranges::any_of(parameters, [](const auto& one) { return one.second.hashes.size() > 1; });
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

DroppedParameters DroppedParameters::Distinguishing() const {
  DroppedParameters some(limits_);
  for (const auto& [path, parameters] : paths_) {
    if (Differs(parameters)) some.paths_.emplace(path, parameters);
  }
  return some;
}

DroppedParameters DroppedParameters::Distinguishing(std::string_view article_id) const {
  DroppedParameters some(limits_);
  const auto found = paths_.find(PathOf(article_id));
  if (found != paths_.end() && Differs(found->second)) some.paths_.insert(*found);
  return some;
}

std::string DroppedParametersHint(const DroppedParameters& dropped, std::string_view site) {
  if (dropped.size() == 0) return {};
  std::vector<std::string> paths;
  for (const auto& path : dropped.Top(kHintPathsMax)) {
    paths.push_back(fmt::format("{} ({})", path.path, fmt::join(path.names, ", ")));
  }
  const size_t others = dropped.size() - paths.size();
  std::string hint = fmt::format("{} {} parameters that the site's rule drops: {}{}",
                                 dropped.size() == 1 ? "1 address" : fmt::format("{} addresses", dropped.size()),
                                 dropped.size() == 1 ? "has" : "have", fmt::join(paths, ", "),
                                 others == 0 ? "" : fmt::format(", and {} more", others));
  if (const auto name = dropped.Suggestion(); !name.empty()) {
    hint += fmt::format("; if they name articles: viewcount site put {} --add-article-parameter {}", site, name);
  }
  return hint;
}

}  // namespace viewcount
