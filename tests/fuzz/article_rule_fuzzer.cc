// Gives arbitrary addresses to the rule of a site. Each article ID must be valid, and must name itself.
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "service/addresses/article_rule.h"
#include "service/base/check.h"
#include "service/base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using viewcount::AddressKind;
  using viewcount::ArticleRule;
  static const std::vector<ArticleRule> rules = {ArticleRule(), *ArticleRule::Make({.parameters = {"a"},
                                                                                    .fold_case = true,
                                                                                    .strip_trailing_slash = true,
                                                                                    .index_names = {"index.html", "i"},
                                                                                    .excluded_paths = {"/a*b/*"}})};
  const std::string_view address(reinterpret_cast<const char*>(data), size);
  for (const ArticleRule& rule : rules) {
    for (const auto kind : {AddressKind::kRequested, AddressKind::kCanonical}) {
      const auto named = rule.Name(address, kind);
      if (!named.ok()) continue;
      VIEWCOUNT_CHECK(viewcount::IsArticleId(named->article_id));
      const auto again = rule.Name(named->article_id, kind);
      VIEWCOUNT_CHECK(again.ok() && again->article_id == named->article_id && again->excluded == named->excluded);
    }
  }
  return 0;
}
