#include "client/cli/announce_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "client/cli/choice_option.h"
#include "service/base/limits.h"

namespace viewcount::cli {
namespace {

void AddDetails(CLI::App& command, AnnounceCommand& options) {
  command.add_option("--title", options.title, "Its headline");
  command.add_option("--url", options.url, "The address of its page");
  const auto add_labels = [&command](const char* name, std::vector<std::string>& labels, const char* help) {
    command.add_option(name, labels, help)->type_name("LABEL")->allow_extra_args(false);
  };
  add_labels(
      "--section", options.sections,
      "Its section of the site; repeatable, the main one first. With --sitemap and --feed before the entries' own");
  add_labels("--author", options.authors,
             "Its author; repeatable. With --sitemap and --feed where an entry names none");
  add_labels("--tag", options.tags, "A tag; repeatable. With --sitemap and --feed before the entries' own");
  command.add_option("--image", options.image_url, "The address of a picture")->type_name("ADDRESS");
  command.add_option("--language", options.language,
                     "Its language, such as vi. With --sitemap and --feed where an entry names none");
  command.add_option("--published", options.published, "When it was published: 2026-11-30T07:00:00+07:00")
      ->type_name("TIME");
  command.add_flag("--hidden", options.hidden, "Leave it out of lists, as for a home page; it is counted anyway");
}

void AddBulk(CLI::App& command, AnnounceCommand& options) {
  const auto add_source = [&command](const char* name, std::vector<std::string>& sources, const char* help) {
    return command.add_option(name, sources, help)->type_name("FILE|URL")->allow_extra_args(false);
  };
  auto* sitemap = add_source("--sitemap", options.sitemaps,
                             "Announce the articles of a sitemap, or of all sitemaps that an index names; plain or "
                             "compressed, - is standard input. Repeatable");
  auto* feed = add_source("--feed", options.feeds,
                          "Announce the articles of a feed, which is RSS or Atom; as --sitemap. Repeatable");
  auto* id =
      AddChoice(command, "--id", options.id_is_guid,
                "What names an article of a feed: its link, by the site's rule for addresses, or its guid, which "
                "then is the article's ID; link if not given",
                std::map<std::string, bool>{{"link", false}, {"guid", true}});
  auto* categories = AddChoice(command, "--categories", options.categories_are_tags,
                               "What the categories of a feed are; sections if not given",
                               std::map<std::string, bool>{{"sections", false}, {"tags", true}});
  id->needs(feed)->excludes(sitemap);
  categories->needs(feed);
  command
      .add_flag("--lastmod-as-published", options.last_modified_is_published,
                "Take a sitemap's lastmod for the time of publication, where it has no other")
      ->needs(sitemap);
  command
      .add_flag("--any-host", options.any_host,
                "Also read the sitemaps that an index names on another host than its own; if the index is a file, than "
                "that of its first sitemap. Otherwise they are skipped and named, and redirects to other hosts refused")
      ->needs(sitemap);
  command.add_flag("--dry-run", options.dry_run, "Show what --sitemap and --feed would announce, and announce nothing");
  command.add_option("--fetch-timeout", options.fetch_timeout, "For each document that is fetched")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 86'400.0))
      ->capture_default_str();
}

// Throws a validation error.
void CheckAnnounce(const CLI::App& command, const AnnounceCommand& options) {
  if (!options.in_bulk()) {
    if (options.articles.empty()) throw CLI::RequiredError("ARTICLE, --sitemap or --feed");
    if (options.has_details() && options.articles.size() > 1) {
      throw CLI::ValidationError("ARTICLE", "must be one where --title, --url, --image or --published is given");
    }
    for (const char* name : {"--dry-run", "--fetch-timeout"}) {
      if (command.count(name) > 0) throw CLI::ValidationError(name, "needs --sitemap or --feed");
    }
    return;
  }
  if (!options.articles.empty()) throw CLI::ValidationError("ARTICLE", "excludes --sitemap and --feed");
  if (options.has_details()) {
    throw CLI::ValidationError("--title, --url, --image and --published", "exclude --sitemap and --feed");
  }
  const auto inputs = std::ranges::count(options.sitemaps, "-") + std::ranges::count(options.feeds, "-");
  if (inputs > 1) throw CLI::ValidationError("-", "can be read once only");
}

}  // namespace

void AddAnnounceOptions(CLI::App& command, AnnounceCommand& options) {
  command.add_option("ARTICLE", options.articles, "Article IDs; several only if they share all details")
      ->expected(0, limits::kPutArticlesMax);
  AddDetails(command, options);
  AddBulk(command, options);
  command.parse_complete_callback([&command, &options] { CheckAnnounce(command, options); });
}

}  // namespace viewcount::cli
