#include "service/addresses/article_rule.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "service/addresses/address_text.h"
#include "service/addresses/article_rule_limits.h"
#include "service/addresses/campaign_parameters.h"
#include "service/addresses/dropped_parameters.h"
#include "service/addresses/path_form.h"
#include "service/addresses/without_case.h"
#include "service/base/limits.h"
#include "service/base/mutex.h"
#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount {
namespace {

bool IsWord(std::string_view text, std::string_view forbidden) {
  return !text.empty() && text.size() <= limits::kArticleRuleNameBytesMax && IsUtf8(text) &&
         std::ranges::all_of(text, [&](char c) {
           return static_cast<unsigned char>(c) > ' ' && c != '\x7F' && forbidden.find(c) == std::string_view::npos;
         });
}

// Returns the first entry that occurs twice without case, or nothing.
std::optional<std::string> Repeated(std::vector<std::string> entries) {
  for (auto& entry : entries) absl::AsciiStrToLower(&entry);
  std::ranges::sort(entries);
  const auto repeated = std::ranges::adjacent_find(entries);
  return repeated == entries.end() ? std::nullopt : std::optional(*repeated);
}

// Checks a list of words, in which the characters of `forbidden` may not occur. `field` is its field in
// viewcount.v1.Site.
absl::Status CheckWords(std::string_view field, const std::vector<std::string>& words, std::string_view forbidden) {
  const std::string name = fmt::format("site.{}", field);
  if (words.size() > limits::kArticleRuleEntriesMax) {
    return InvalidField(name, fmt::format("must be at most {}", limits::kArticleRuleEntriesMax));
  }
  for (const std::string& word : words) {
    if (IsWord(word, forbidden)) continue;
    return InvalidField(name,
                        fmt::format("\"{}\" must be one name of 1 to {} bytes, without spaces and the characters {}",
                                    absl::CHexEscape(word), limits::kArticleRuleNameBytesMax, forbidden));
  }
  if (const auto repeated = Repeated(words)) {
    return InvalidField(name,
                        fmt::format("{} occurs twice; capital letters do not matter", absl::CHexEscape(*repeated)));
  }
  return absl::OkStatus();
}

absl::Status CheckParameterNames(const ArticleRuleSettings& settings) {
  if (settings.drop_query && !settings.parameters.empty()) {
    return InvalidField("site.drop_query", "excludes article_parameters: either some parameters are kept or none");
  }
  if (auto status = CheckWords("article_parameters", settings.parameters, "&=#?+%;,"); !status.ok()) return status;
  for (const std::string& name : settings.parameters) {
    if (!IsCampaignParameter(name)) continue;
    return InvalidField("site.article_parameters",
                        fmt::format("{} tells where a reader came from, so it is always dropped", name));
  }
  return absl::OkStatus();
}

absl::Status CheckPaths(const std::vector<std::string>& paths) {
  constexpr std::string_view kField = "site.excluded_paths";
  if (paths.size() > limits::kArticleRuleEntriesMax) {
    return InvalidField(kField, fmt::format("must be at most {}", limits::kArticleRuleEntriesMax));
  }
  for (const std::string& path : paths) {
    const bool begins = path.starts_with('/') || path.starts_with('*');
    if (begins && IsArticleId(path) && path.find_first_of(" ?#") == path.npos) continue;
    return InvalidField(kField, fmt::format("\"{}\" must be a path that begins with / or *, without spaces and query, "
                                            "of at most {} bytes",
                                            absl::CHexEscape(path), limits::kArticleIdBytesMax));
  }
  return absl::OkStatus();
}

// Path and query of an address, as they were written.
struct SplitAddress {
  std::string_view path;
  std::string_view query;
};

std::optional<SplitAddress> Split(std::string_view address) {
  address = address.substr(0, address.find('#'));
  bool has_host = false;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (has_host || !HasPrefixWithoutCase(address, scheme)) continue;
    has_host = true;
    address.remove_prefix(std::min(address.find_first_of("/\\?", scheme.size()), address.size()));
  }
  const size_t question = std::min(address.find('?'), address.size());
  SplitAddress split{.path = address.substr(0, question), .query = address.substr(question)};
  if (split.path.empty() && has_host) split.path = "/";
  if (!split.query.empty()) split.query.remove_prefix(1);
  if (split.path.empty() || (split.path[0] != '/' && split.path[0] != '\\')) return std::nullopt;
  return split;
}

// Removes what browsers remove from an address before they parse it: spaces and controls at its ends, and tabs and line
// ends anywhere (WHATWG URL Standard, section 4.4). Uses `buffer` only if the address has to be changed within.
std::string_view Trimmed(std::string_view address, std::string& buffer) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!address.empty() && is_blank(address.front())) address.remove_prefix(1);
  while (!address.empty() && is_blank(address.back())) address.remove_suffix(1);
  const auto is_removed = [](char c) { return c == '\t' || c == '\r' || c == '\n'; };
  if (std::ranges::none_of(address, is_removed)) return address;
  std::ranges::remove_copy_if(address, std::back_inserter(buffer), is_removed);
  return buffer;
}

// HTML writes & as &amp;, and careless programs leave it so.
std::string_view WithoutEntity(std::string_view name) {
  while (HasPrefixWithoutCase(name, "amp;")) name.remove_prefix(4);
  return name;
}

struct Parameter {
  std::string name;
  std::string value;
};

}  // namespace

struct ArticleRule::Compiled {
  explicit Compiled(const ArticleRuleSettings& from) : settings(from) {
    if (settings.parameters.empty() && !settings.drop_query) settings.parameters = DefaultArticleParameters();
    path_part = settings.fold_case ? AddressPart::kFoldedPath : AddressPart::kPath;
    std::vector<std::string> paths = settings.excluded_paths;
    if (!settings.count_well_known_paths) paths.insert(paths.end(), WellKnownPaths().begin(), WellKnownPaths().end());
    for (const std::string& path : paths) excluded.push_back(NormalText(path, path_part));
  }

  bool IsStatic(std::string_view path) const {
    const std::string extension = ExtensionOf(path);
    if (extension.empty()) return false;
    const auto is_extension = [&](const std::string& entry) { return EqualWithoutCase(entry, extension); };
    if (std::ranges::any_of(settings.page_extensions, is_extension)) return false;
    return std::ranges::binary_search(StaticExtensions(), extension) ||
           std::ranges::any_of(settings.static_extensions, is_extension);
  }

  bool IsExcluded(std::string_view path) const {
    return std::ranges::any_of(excluded, [&](const std::string& pattern) { return MatchesPath(pattern, path); });
  }

  // Returns the query of the article ID with its question mark, or an empty text. Adds the dropped parameters to
  // `article`.
  std::string Query(std::string_view query, AddressKind kind, NamedArticle& article) const {
    std::vector<Parameter> kept;
    while (!query.empty()) {
      const std::string_view pair = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(pair.size() + 1, query.size()));
      const size_t equals = std::min(pair.find('='), pair.size());
      std::string name = NormalText(pair.substr(0, equals), AddressPart::kQuery);
      name = WithoutEntity(name);
      std::string value = NormalText(pair.substr(std::min(equals + 1, pair.size())), AddressPart::kQuery);
      if ((name.empty() && value.empty()) || IsCampaignParameter(name)) continue;
      const auto known = std::ranges::find_if(settings.parameters,
                                              [&](const std::string& entry) { return EqualWithoutCase(entry, name); });
      if (known != settings.parameters.end()) name = *known;
      // A named parameter without a value names no article.
      const bool keeps = kind == AddressKind::kCanonical || (known != settings.parameters.end() && !value.empty());
      if (keeps) {
        kept.push_back({std::move(name), std::move(value)});
      } else if (known == settings.parameters.end()) {
        article.dropped.emplace_back(std::move(name), std::move(value));
      }
    }
    std::ranges::stable_sort(kept, {}, &Parameter::name);
    std::string text;
    for (const Parameter& parameter : kept) {
      text.append(text.empty() ? "?" : "&").append(parameter.name);
      if (!parameter.value.empty()) text.append("=").append(parameter.value);
    }
    return text;
  }

  ArticleRuleSettings settings;
  AddressPart path_part = AddressPart::kPath;
  // The patterns of excluded paths, in normal form.
  std::vector<std::string> excluded;
  mutable Mutex mutex;
  mutable DroppedParameters dropped ABSL_GUARDED_BY(mutex){
      {.paths = limits::kDroppedPathsMax, .names = limits::kDroppedNamesMax, .values = limits::kDroppedValuesMax}};
};

ArticleRule::ArticleRule() : ArticleRule(std::make_shared<const Compiled>(ArticleRuleSettings())) {}
ArticleRule::ArticleRule(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

absl::StatusOr<ArticleRule> ArticleRule::Make(const ArticleRuleSettings& settings) {
  for (const auto& status :
       {CheckParameterNames(settings), CheckWords("index_names", settings.index_names, "/?#"),
        CheckPaths(settings.excluded_paths), CheckWords("static_extensions", settings.static_extensions, "./?#"),
        CheckWords("page_extensions", settings.page_extensions, "./?#")}) {
    if (!status.ok()) return status;
  }
  return ArticleRule(std::make_shared<const Compiled>(settings));
}

absl::StatusOr<NamedArticle> ArticleRule::Name(std::string_view address, AddressKind kind) const {
  if (address.size() > limits::kAddressBytesMax) {
    return absl::InvalidArgumentError(fmt::format("is longer than {} bytes", limits::kAddressBytesMax));
  }
  std::string buffer;
  const auto split = Split(Trimmed(address, buffer));
  if (!split) return absl::InvalidArgumentError("must begin with /, http:// or https://");
  const ArticleRuleSettings& settings = compiled_->settings;
  std::string path = WithoutDotSegments(WithoutSessions(NormalText(split->path, compiled_->path_part)));
  if (settings.strip_trailing_slash) path = WithoutRepeatedSlashes(path);
  NamedArticle article;
  article.article_id = WithoutIndex(path, settings.index_names, settings.strip_trailing_slash);
  article.excluded = compiled_->IsExcluded(path) || compiled_->IsExcluded(article.article_id);
  article.is_static = compiled_->IsStatic(path);
  article.article_id += compiled_->Query(split->query, kind, article);
  if (article.article_id.size() > limits::kArticleIdBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("its article ID would be longer than {} bytes", limits::kArticleIdBytesMax));
  }
  if (!article.dropped.empty() && !article.excluded && !article.is_static) {
    const MutexLock lock(compiled_->mutex);
    compiled_->dropped.Add(article.article_id, article.dropped);
  }
  return article;
}

std::string ArticleRule::DroppedHint(std::string_view site) const {
  const MutexLock lock(compiled_->mutex);
  return DroppedParametersHint(compiled_->dropped.Distinguishing(), site);
}

std::string ArticleRule::DroppedHint(std::string_view site, std::string_view article_id) const {
  const MutexLock lock(compiled_->mutex);
  return DroppedParametersHint(compiled_->dropped.Distinguishing(article_id), site);
}

std::optional<NamedArticle> NormalFormOf(const ArticleRule& rule, std::string_view article_id, AddressKind kind) {
  if (!article_id.starts_with('/') || article_id.find('#') != article_id.npos) return std::nullopt;
  auto named = rule.Name(article_id, kind);
  if (!named.ok()) return std::nullopt;
  return *std::move(named);
}

}  // namespace viewcount
