#include "client/cli/announced_article.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/base/limits.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ArticleOfTest : public ::testing::Test {
 protected:
  v1::Article Announce(const FeedEntry& entry) {
    const auto article = ArticleOf(entry, rule_, options_, faults_);
    EXPECT_TRUE(article.ok()) << article.status();
    return article.ok() ? article->article : v1::Article();
  }
  std::string Problem(const FeedEntry& entry) {
    return std::string(ArticleOf(entry, rule_, options_, faults_).status().message());
  }

  const ArticleRule rule_;
  EntryOptions options_;
  EntryFaults faults_;
};

TEST_F(ArticleOfTest, TheSitesRuleNamesTheArticle) {
  const auto article = Announce({.link = "https://news.example.org/tin?utm_source=x&id=7#top", .guid = "g"});
  EXPECT_EQ(article.article_id(), "/tin?id=7");
  EXPECT_EQ(article.url(), "https://news.example.org/tin?utm_source=x&id=7#top");
  EXPECT_EQ(Announce({.link = "/a"}).url(), "/a");
  EXPECT_EQ(Problem({.title = "t"}), "has no address");
  EXPECT_THAT(Problem({.link = "javascript:alert(1)"}), HasSubstr("has an address that must begin with"));
  EXPECT_TRUE(ArticleOf({.link = "/wp-login.php"}, rule_, options_, faults_)->excluded);
}

TEST_F(ArticleOfTest, AddressesHaveNoCredentials) {
  const auto article = Announce({.link = "https://an:secret@a.example/b", .image_url = "https://an@a.example/b.jpg"});
  EXPECT_EQ(article.url(), "https://a.example/b");
  EXPECT_EQ(article.image_url(), "https://a.example/b.jpg");
}

TEST_F(ArticleOfTest, AGuidMayBeTheId) {
  options_.id_is_guid = true;
  EXPECT_EQ(Announce({.link = "/a", .guid = "news-7"}).article_id(), "news-7");
  EXPECT_EQ(Problem({.link = "/a"}), "has no guid");
  EXPECT_THAT(Problem({.guid = std::string(513, 'x')}), HasSubstr("must be 1 to 512 bytes"));
}

TEST_F(ArticleOfTest, LongTitlesAreCutBetweenCharacters) {
  const auto article = Announce({.link = "/a", .title = "x" + std::string(999, 'y') + "z"});
  EXPECT_EQ(article.title().size(), limits::kArticleTitleBytesMax);
  std::string vietnamese = "x";
  while (vietnamese.size() <= limits::kArticleTitleBytesMax) vietnamese += "ổ";
  const auto cut = Announce({.link = "/a", .title = vietnamese});
  EXPECT_TRUE(IsUtf8(cut.title()));
  EXPECT_EQ(cut.title().size(), 1'000u);
  EXPECT_EQ(faults_.titles_cut, 2u);
  EXPECT_EQ(faults_.fields_left_out, 0u);
}

TEST_F(ArticleOfTest, InvalidFieldsAreLeftOutAndCounted) {
  const auto article = Announce({.link = "/a?id=" + std::string(400, 'x'),
                                 .published = "yesterday",
                                 .authors = {std::string(201, 'a'), "An"},
                                 .language = "not a language",
                                 .image_url = "javascript:alert(1)"});
  EXPECT_FALSE(article.has_publish_time());
  EXPECT_THAT(article.authors(), ElementsAre("An"));
  EXPECT_EQ(article.language(), "");
  EXPECT_EQ(article.image_url(), "");
  EXPECT_EQ(faults_.fields_left_out, 4u);
  std::vector<std::string> many;
  for (int i = 0; i < 40; ++i) many.push_back(std::to_string(i));
  EXPECT_EQ(Announce({.link = "/a", .categories = many}).sections_size(), 32);
  EXPECT_EQ(faults_.fields_left_out, 12u);
}

TEST_F(ArticleOfTest, TheLastChangeIsNotTheTimeOfPublication) {
  const FeedEntry entry{.link = "/a", .last_modified = "2026-11-30T07:00:00Z"};
  EXPECT_FALSE(Announce(entry).has_publish_time());
  options_.last_modified_is_published = true;
  EXPECT_EQ(Announce(entry).publish_time().seconds(), 1'796'022'000);
}

TEST_F(ArticleOfTest, OptionsCompleteEntries) {
  options_.sections = {"sport"};
  options_.tags = {"all"};
  options_.authors = {"Desk"};
  options_.language = "vi";
  options_.hidden = true;
  const auto plain = Announce({.link = "/a"});
  EXPECT_THAT(plain.sections(), ElementsAre("sport"));
  EXPECT_THAT(plain.authors(), ElementsAre("Desk"));
  EXPECT_EQ(plain.language(), "vi");
  EXPECT_TRUE(plain.hidden_from_lists());
  const auto full =
      Announce({.link = "/a", .authors = {"An"}, .tags = {"t"}, .categories = {"sport", "football"}, .language = "en"});
  EXPECT_THAT(full.sections(), ElementsAre("sport", "football"));
  EXPECT_THAT(full.tags(), ElementsAre("all", "t"));
  EXPECT_THAT(full.authors(), ElementsAre("An"));
  EXPECT_EQ(full.language(), "en");
  options_.categories_are_tags = true;
  EXPECT_THAT(Announce({.link = "/a", .categories = {"football"}}).tags(), ElementsAre("all", "football"));
}

}  // namespace
}  // namespace viewcount::cli
