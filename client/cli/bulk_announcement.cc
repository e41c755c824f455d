#include "client/cli/bulk_announcement.h"

#include <absl/strings/str_replace.h>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/announced_article.h"
#include "client/cli/article_sender.h"
#include "client/cli/byte_source.h"
#include "client/cli/feed_reader.h"
#include "client/cli/progress.h"
#include "client/cli/sitemap_hosts.h"
#include "client/cli/sitemap_reader.h"
#include "client/cli/web_address.h"
#include "client/cli/web_document.h"
#include "service/addresses/rule_message.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/sites/time_zone.h"

namespace viewcount::cli {
namespace {

// The number of problems that are shown. Further ones are only counted.
constexpr uint64_t kAnnounceProblemsShown = 10;

absl::StatusOr<EntryOptions> EntryOptionsOf(const AnnounceCommand& command, const v1::Site& site) {
  EntryOptions options{.id_is_guid = command.id_is_guid,
                       .categories_are_tags = command.categories_are_tags,
                       .last_modified_is_published = command.last_modified_is_published,
                       .sections = command.sections,
                       .tags = command.tags,
                       .authors = command.authors,
                       .language = command.language,
                       .hidden = command.hidden};
  if (!site.time_zone().empty() && !LoadZone(site.time_zone(), options.zone)) {
    return absl::FailedPreconditionError(
        fmt::format("this machine does not know the site's time zone {}; install tzdata", site.time_zone()));
  }
  return options;
}

// One run of the command over all its documents. Not thread-safe.
class BulkAnnouncement {
 public:
  BulkAnnouncement(Session& session, const AnnounceCommand& command, const v1::Site& site, ArticleRule rule,
                   EntryOptions options)
      : session_(session),
        command_(command),
        rule_(std::move(rule)),
        options_(std::move(options)),
        sender_(session, site.name(), command.dry_run, counts_) {}

  // Returns the service's error, after which nothing more is read.
  absl::Status ReadAll() {
    for (const std::string& name : command_.sitemaps) {
      if (auto status = ReadSitemap(name); !status.ok()) return status;
    }
    for (const std::string& name : command_.feeds) {
      FeedReader reader([this](FeedEntry entry) { return TakeEntry(std::move(entry)); });
      if (auto status = ReadDocument(name, reader); !status.ok()) return status;
    }
    return sender_.Finish();
  }

  void Report() {
    progress_.Clear();
    if (problems_ > kAnnounceProblemsShown) {
      PrintError(fmt::format("and {} more problems", Grouped(problems_ - kAnnounceProblemsShown)));
    }
    if (!session_.options().json) return Print(AnnounceReportText(counts_, command_.dry_run));
    Print((command_.dry_run ? "\n ],\n" : "{\n") + AnnounceReportJson(counts_) + "}\n");
  }

  const AnnounceCounts& counts() const { return counts_; }

 private:
  // Reads a sitemap, or an index and the sitemaps that it names.
  absl::Status ReadSitemap(const std::string& name) {
    std::vector<std::string> children;
    std::set<std::string> known;
    uint64_t named = 0;
    SitemapReader reader([this](FeedEntry entry) { return TakeEntry(std::move(entry)); },
                         [&](std::string child) {
                           if (++named <= kSitemapChildrenMax && known.insert(child).second) {
                             children.push_back(std::move(child));
                           }
                           return absl::OkStatus();
                         });
    if (auto status = ReadDocument(name, reader); !status.ok()) return status;
    const std::string shown = document_;
    const std::string only_host = command_.any_host ? "" : LeaveOutOtherHosts(children);
    for (const std::string& child : children) {
      if (auto status = ReadChild(child, shown, only_host); !status.ok()) return status;
    }
    if (named <= kSitemapChildrenMax) return absl::OkStatus();
    Fail(fmt::format("{} names {}; the first {} were read", shown, Counted(named, "sitemap"), kSitemapChildrenMax));
    return absl::OkStatus();
  }

  // Removes the sitemaps of the document that are on other hosts, and reports them. Returns the only host that is left.
  std::string LeaveOutOtherHosts(std::vector<std::string>& sitemaps) {
    std::string host = HostOfSitemaps(document_host_, sitemaps);
    for (const auto& [other, number] : RemoveOtherHosts(host, sitemaps)) {
      counts_.documents_failed += number;
      Complain(OtherHostProblem({.index = document_,
                                 .index_is_file = document_host_.empty(),
                                 .host = host,
                                 .other = other,
                                 .sitemaps = number}));
    }
    return host;
  }

  absl::Status ReadChild(const std::string& child, const std::string& index, const std::string& only_host) {
    if (!IsWebAddress(child)) {
      Fail(fmt::format("{} names the sitemap {}, which is no address with http or https", index,
                       child.empty() ? "\"\"" : WithoutCredentials(child)));
      return absl::OkStatus();
    }
    SitemapReader reader(
        [this](FeedEntry entry) { return TakeEntry(std::move(entry)); },
        [](const std::string&) { return absl::InvalidArgumentError("an index within an index is not read"); });
    return ReadDocument(child, reader, only_host);
  }

  // Returns the service's error only. Problems of the document are reported. `only_host` is that of WebFetch.
  template <typename Reader>
  absl::Status ReadDocument(const std::string& name, Reader& reader, const std::string& only_host = "") {
    document_ = name == "-" ? "standard input" : WithoutCredentials(name);
    progress_.Show([&] { return ProgressText(); });
    auto source = Open(name, only_host);
    if (!source.ok()) {
      // The message of a file has its name, which may be a mistyped address.
      Fail(absl::StrReplaceAll(source.status().message(), {{name, WithoutCredentials(name)}}));
      return absl::OkStatus();
    }
    XmlReader xml(reader);
    auto status = ReadBytes(**source, xml);
    ++(reader.understood() ? counts_.documents : counts_.documents_not_understood);
    if (!service_error_.ok()) return service_error_;
    if (!status.ok()) {
      Fail(fmt::format("{}: {}", document_, ToStd(status.message())));
    }
    return absl::OkStatus();
  }

  // Opens a document and takes note of its host.
  absl::StatusOr<std::unique_ptr<ByteSource>> Open(const std::string& name, const std::string& only_host) {
    document_host_.clear();
    if (!IsWebAddress(name)) return ByteSource::Open(name);
    auto document = FetchWebDocument({.address = name, .timeout = FetchTimeout(), .only_host = only_host});
    if (!document.ok()) return document.status();
    document_host_ = std::move(document->host);
    return std::move(document->source);
  }

  static absl::Status ReadBytes(ByteSource& source, XmlReader& xml) {
    std::vector<char> buffer(64 << 10);
    uint64_t bytes = 0;
    for (;;) {
      const auto count = source.Read(buffer.data(), buffer.size());
      if (!count.ok()) return count.status();
      if (*count == 0) break;
      bytes += *count;
      if (bytes > kDocumentBytesMax) {
        return absl::InvalidArgumentError(fmt::format("it has more than {} MiB", kDocumentBytesMax >> 20));
      }
      if (auto status = xml.Read({buffer.data(), *count}); !status.ok()) return status;
    }
    if (!source.damage().empty()) return absl::InvalidArgumentError(source.damage());
    return xml.Finish();
  }

  absl::Status TakeEntry(FeedEntry entry) {
    ++counts_.entries;
    progress_.Show([&] { return ProgressText(); });
    auto article = ArticleOf(entry, rule_, options_, counts_.faults);
    if (!article.ok()) {
      ++counts_.left_out;
      Complain(fmt::format("{}, line {}: the entry {}{}; it is left out", document_, entry.line,
                           entry.title.empty() ? "" : fmt::format("\"{}\" ", entry.title),
                           ToStd(article.status().message())));
      return absl::OkStatus();
    }
    if (article->excluded) {
      ++counts_.excluded_paths;
      return absl::OkStatus();
    }
    service_error_ = sender_.Take(std::move(article->article));
    return service_error_;
  }

  std::chrono::milliseconds FetchTimeout() const {
    return std::chrono::milliseconds(static_cast<int64_t>(command_.fetch_timeout * 1'000));
  }
  std::string ProgressText() const {
    return fmt::format("{}: {} entries", OneLine(document_), Grouped(counts_.entries));
  }
  // Reports a document that was not read to its end.
  void Fail(const std::string& problem) {
    ++counts_.documents_failed;
    Complain(problem);
  }
  void Complain(const std::string& problem) {
    progress_.Clear();
    if (++problems_ <= kAnnounceProblemsShown) PrintError(problem);
  }

  Session& session_;
  const AnnounceCommand& command_;
  const ArticleRule rule_;
  const EntryOptions options_;
  AnnounceCounts counts_;
  ArticleSender sender_;
  Progress progress_;
  // The document that is being read, without credentials.
  std::string document_;
  // The host that sent it. Empty for a file.
  std::string document_host_;
  uint64_t problems_ = 0;
  absl::Status service_error_;
};

}  // namespace

absl::StatusOr<ExitCode> AnnounceInBulk(Session& session, const AnnounceCommand& command) {
  // Asks the service before anything is fetched, so that a wrong address or site is reported immediately.
  const auto site = session.ExistingSite();
  if (!site.ok()) return site.status();
  auto rule = ArticleRule::Make(RuleSettingsOf(*site));
  if (!rule.ok()) return rule.status();
  auto options = EntryOptionsOf(command, *site);
  if (!options.ok()) return options.status();
  if (command.dry_run && session.options().json) Print("{\n \"articles\": [");
  BulkAnnouncement announcement(session, command, *site, *std::move(rule), *std::move(options));
  const auto status = announcement.ReadAll();
  announcement.Report();
  if (!status.ok()) return status;
  const AnnounceCounts& counts = announcement.counts();
  if (counts.nothing_understood()) return ExitCode::kNoLineUnderstood;
  return counts.documents_failed > 0 ? ExitCode::kFailed : ExitCode::kOk;
}

}  // namespace viewcount::cli
