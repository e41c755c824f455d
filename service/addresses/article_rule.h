// Turns the address of a page into the ID of its article, by the rule of a site. Browsers, pixels, questions, the
// command line and imported logs use this one rule. So every spelling of an address names the same article.
//
// Each rule does the following:
// - It removes the fragment, `;jsessionid=…`, ASP.NET's session segments such as `(S(…))`, and dot segments.
// - It decodes escapes of unreserved ASCII characters (RFC 3986, section 2.3), and of printable characters beyond ASCII
//   that are valid UTF-8. Other escapes stay, with digits in upper case. Characters that no URI may contain are
//   escaped.
// - It brings characters beyond ASCII into Unicode's normal form C.
// - It removes parameters of campaigns, such as utm_source and fbclid.
//
// The site chooses the rest; see ArticleRuleSettings.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viewcount {

// The choices of a site. A regular value type. The defaults are those of a site without settings.
struct ArticleRuleSettings {
  // The parameters of the query that name an article, compared without case. Only these are kept. An empty list means
  // DefaultArticleParameters().
  std::vector<std::string> parameters = {};
  // True if no parameter is kept. `parameters` must then be empty.
  bool drop_query = false;
  // True if capital and small letters of the path are the same.
  bool fold_case = false;
  // True if slashes at the end of the path, and repeated slashes, are removed.
  bool strip_trailing_slash = false;
  // Names such as index.html that are removed from the end of the path, compared without case.
  std::vector<std::string> index_names = {};
  // Paths whose views do not count, beside WellKnownPaths(). A * stands for any characters.
  std::vector<std::string> excluded_paths = {};
  // True if WellKnownPaths() count, too.
  bool count_well_known_paths = false;
  // Extensions of files that are no pages, without the dot, beside StaticExtensions(). Used for logs only.
  std::vector<std::string> static_extensions = {};
  // Extensions of StaticExtensions() that are pages of this site.
  std::vector<std::string> page_extensions = {};

  bool operator==(const ArticleRuleSettings&) const = default;
};

// The origin of an address.
enum class AddressKind : uint8_t {
  kRequested,  // The address under which the page was requested.
  kCanonical,  // The address that the page declares by rel=canonical. All its parameters are kept but those of
               // campaigns.
};

// An article as an address names it.
struct NamedArticle {
  // A valid article ID.
  std::string article_id;
  // True if views of this path do not count.
  bool excluded = false;
  // True if the path ends with an extension of files that are no pages. Views of such paths count nevertheless; only
  // readers of logs leave them out.
  bool is_static = false;
  // Names and values of the parameters that were dropped, without those of campaigns. They may distinguish articles.
  std::vector<std::pair<std::string, std::string>> dropped = {};
};

// Thread-safe. Copies share their contents. The rule does not change, and it remembers which parameters it dropped.
class ArticleRule {
 public:
  // The rule of a site without settings.
  ArticleRule();
  // Returns INVALID_ARGUMENT that names the invalid field of viewcount.v1.Site.
  static absl::StatusOr<ArticleRule> Make(const ArticleRuleSettings& settings);

  // Returns the article of `address`: a path with or without a query, or an URL with http or https, whose host is
  // ignored. Returns INVALID_ARGUMENT for any other text, and for an address whose article ID is longer than 512 bytes.
  // The message names no field.
  absl::StatusOr<NamedArticle> Name(std::string_view address, AddressKind kind = AddressKind::kRequested) const;

  // Describes the parameters that distinguish addresses of one path but are dropped, so that these addresses are one
  // article. It knows the addresses since the rule was made, within limits::kDroppedPathsMax. Returns an empty text if
  // there are none. `site` is the name for the suggested command.
  std::string DroppedHint(std::string_view site) const;
  // Says the same of the path of one article alone.
  std::string DroppedHint(std::string_view site, std::string_view article_id) const;

 private:
  struct Compiled;
  explicit ArticleRule(std::shared_ptr<const Compiled> compiled);

  std::shared_ptr<const Compiled> compiled_;
};

// Returns the article that an article is by the rule, if its ID is the address of a page. Returns nothing for other
// IDs: those that a backend chose, and pages in fragments such as /app#/news/1. Thread-safe.
std::optional<NamedArticle> NormalFormOf(const ArticleRule& rule, std::string_view article_id, AddressKind kind);

// The built-in lists. Thread-safe.
const std::vector<std::string>& DefaultArticleParameters();
const std::vector<std::string>& WellKnownPaths();
const std::vector<std::string>& StaticExtensions();

}  // namespace viewcount
