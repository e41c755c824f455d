#include "bench/history/history_store.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "bench/articles.h"
#include "service/base/hash.h"
#include "service/store/ranked_limits.h"
#include "service/store/redis/keys.h"
#include "service/store/redis/stored_sites.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount::bench {
namespace {

constexpr int64_t kHourSeconds = 3'600;
constexpr int64_t kDaySeconds = 24 * kHourSeconds;
constexpr int64_t kHoursKept = limits::kHourKeysExpireAfter.count();
constexpr size_t kFieldsOfCommand = 512;
// apply.lua converts hashes with more fields to tables, by a value of this length.
constexpr size_t kListedFieldsMax = 128;
constexpr size_t kLongValue = 100;
// One bot's view for as many views of people.
constexpr uint64_t kViewsOfBot = 16;

constexpr std::array<std::string_view, 12> kSections{"world",  "politics", "business", "sport",  "culture", "science",
                                                     "health", "travel",   "cars",     "family", "opinion", "weather"};
constexpr size_t kAuthors = 400;
constexpr size_t kTags = 5'000;

bool IsHigher(const std::vector<std::string>& ids, const ArticleViews& a, const ArticleViews& b) {
  return a.views != b.views ? a.views > b.views : ids[a.article] < ids[b.article];
}

Window DayWindow(int64_t day) {
  const absl::CivilDay civil = absl::CivilDay(1970, 1, 1) + day;
  return {Window::Kind::kDay, DayNumber(civil)};
}

// Sections differ in size: the first one has a quarter of all articles.
std::string SectionOf(uint64_t draw) {
  size_t section = 0;
  while (section + 1 < kSections.size() && draw % 4 != 0) {
    ++section;
    draw /= 4;
  }
  return std::string(kSections[section]);
}

v1::Article Describe(const std::string& id, uint64_t hash, int64_t publish_unix_ms) {
  v1::Article article;
  article.set_title(fmt::format("Report {} about the events of the day", id.substr(id.size() - 8)));
  article.set_url("https://www.news.example" + id + ".html");
  const std::string section = SectionOf(hash);
  article.set_section(section);
  article.add_sections(section);
  article.add_authors(fmt::format("Author {}", hash % kAuthors));
  article.add_tags(fmt::format("tag-{}", hash / kAuthors % kTags));
  article.set_language("vi");
  article.mutable_publish_time()->set_seconds(publish_unix_ms / 1'000);
  return article;
}

}  // namespace

HistoryStore::HistoryStore(const HistoryOptions& options, Site site, int64_t now_unix_s, RedisPipe& pipe)
    : options_(options),
      site_(std::move(site)),
      now_(now_unix_s),
      first_day_(now_unix_s / kDaySeconds - static_cast<int64_t>(options.days) + 1),
      pipe_(pipe),
      popularity_({.articles = options.articles,
                   .days = options.days,
                   .views_per_day = options.views_per_day,
                   .seed = options.seed}),
      ids_(ArticleIds(options.articles)),
      all_time_(options.articles) {
  for (uint32_t i = 0; i < ids_.size(); ++i) articles_[ShardOf(ArticleHash(site_.seed, ids_[i])).value].push_back(i);
}

absl::Status HistoryStore::Write(const std::function<void(size_t day, const HistoryTally&)>& progress) {
  const std::vector<std::string> words = SiteWords({.name = site_.name, .settings = site_.settings, .aliases = {}});
  pipe_.Send({"HSET", keys::kSites, words[0], words[1]});
  for (size_t day = 0; day < options_.days && pipe_.status().ok(); ++day) {
    WriteDay(day);
    progress(day + 1, tally_);
  }
  WriteAllTime();
  WriteTotals();
  WriteDescriptions();
  return pipe_.Finish();
}

void HistoryStore::WriteDay(size_t day) {
  const int64_t number = first_day_ + static_cast<int64_t>(day);
  const int64_t begun = number * kDaySeconds;
  const int64_t elapsed = std::min(now_ - begun, kDaySeconds);
  popularity_.Begin(day, Popularity::ShareOf(static_cast<double>(elapsed) / kHourSeconds));
  // The hours that have begun, the last of which may not have ended.
  const auto hours = static_cast<size_t>(std::min((elapsed + kHourSeconds - 1) / kHourSeconds, int64_t{kHoursOfDay}));
  const int64_t first_kept = now_ / kHourSeconds - kHoursKept;
  const bool keeps_hours = (begun + kDaySeconds) / kHourSeconds > first_kept;
  std::vector<ByShard> by_hour(keeps_hours ? kHoursOfDay : 0);
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    std::vector<ArticleViews> views;
    for (const uint32_t article : articles_[i]) {
      const uint32_t drawn = popularity_.Draw(article);
      if (drawn == 0) continue;
      views.push_back({article, drawn});
      all_time_[article] += drawn;
      if (!keeps_hours) continue;
      const auto divided = popularity_.DivideByHour(article, drawn, hours);
      for (size_t hour = 0; hour < hours; ++hour) {
        if (divided[hour] > 0) by_hour[hour][i].push_back({article, divided[hour]});
      }
    }
    tally_.day_counts += views.size();
    tally_.views += WriteWindow(Shard{static_cast<uint8_t>(i)}, DayWindow(number), views);
  }
  for (size_t hour = 0; keeps_hours && hour < hours; ++hour) {
    const int64_t of_all = begun / kHourSeconds + static_cast<int64_t>(hour);
    if (of_all >= first_kept) WriteHour(of_all, by_hour[hour]);
  }
}

void HistoryStore::WriteHour(int64_t hour, ByShard& views) {
  const int64_t written = std::min(now_, (hour + 1) * kHourSeconds);
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    tally_.hour_counts += views[i].size();
    WriteWindow(Shard{static_cast<uint8_t>(i)}, {Window::Kind::kHour, static_cast<uint32_t>(hour)}, views[i],
                written + kHoursKept * kHourSeconds);
  }
}

uint64_t HistoryStore::WriteWindow(Shard shard, Window window, std::vector<ArticleViews>& views, int64_t expiry) {
  if (views.empty()) return 0;
  uint64_t sum = 0;
  for (const ArticleViews& article : views) sum += article.views;
  const std::string hash = keys::Counts(shard, site_.name, window);
  WriteHash(hash, views, sum);
  const std::string ranking = keys::Ranking(shard, site_.name, window);
  if (!ranking.empty()) WriteRanking(ranking, views, RankedLimits().Of(window.kind));
  if (expiry > 0) {
    const std::string at = std::to_string(expiry);
    pipe_.Send({"EXPIREAT", hash, at});
    if (!ranking.empty()) pipe_.Send({"EXPIREAT", ranking, at});
  }
  return sum;
}

void HistoryStore::WriteHash(const std::string& key, const std::vector<ArticleViews>& views, uint64_t sum) {
  static const std::string kLong(kLongValue, '0');
  if (views.size() + 1 > kListedFieldsMax) pipe_.Send({"HSET", key, "", kLong});
  std::vector<std::string_view> words;
  numbers_.resize(std::max(numbers_.size(), kFieldsOfCommand));
  for (size_t begin = 0; begin < views.size(); begin += kFieldsOfCommand) {
    const size_t end = std::min(begin + kFieldsOfCommand, views.size());
    words = {"HSET", key};
    for (size_t i = begin; i < end; ++i) {
      numbers_[i - begin] = std::to_string(views[i].views);
      words.insert(words.end(), {ids_[views[i].article], numbers_[i - begin]});
    }
    pipe_.Send(words);
  }
  pipe_.Send({"HSET", key, "", std::to_string(sum)});
}

void HistoryStore::WriteRanking(const std::string& key, std::vector<ArticleViews>& views, size_t ranked) {
  const size_t count = std::min(ranked, views.size());
  std::partial_sort(views.begin(), views.begin() + static_cast<ptrdiff_t>(count), views.end(),
                    [&](const ArticleViews& a, const ArticleViews& b) { return IsHigher(ids_, a, b); });
  std::vector<std::string_view> words = {"ZADD", key};
  numbers_.resize(std::max(numbers_.size(), count));
  for (size_t i = 0; i < count; ++i) {
    numbers_[i] = fmt::format("-{}", views[i].views);
    words.insert(words.end(), {numbers_[i], ids_[views[i].article]});
  }
  pipe_.Send(words);
  ++tally_.rankings;
  tally_.ranked += count;
}

void HistoryStore::WriteAllTime() {
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    const Shard shard{static_cast<uint8_t>(i)};
    std::vector<ArticleViews> views, bots;
    for (const uint32_t article : articles_[i]) {
      const uint64_t all = std::min<uint64_t>(all_time_[article], std::numeric_limits<uint32_t>::max());
      if (all > 0) views.push_back({article, static_cast<uint32_t>(all)});
      if (all >= kViewsOfBot) bots.push_back({article, static_cast<uint32_t>(all / kViewsOfBot)});
    }
    tally_.all_time_counts += views.size();
    counted_[i] = WriteWindow(shard, {Window::Kind::kAllTime, 0}, views);
    counted_[i] += WriteWindow(shard, {Window::Kind::kBots, 0}, bots);
  }
}

void HistoryStore::WriteTotals() {
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    if (counted_[i] == 0) continue;
    pipe_.Send({"HSET", keys::Totals(Shard{static_cast<uint8_t>(i)}), "retired:views", std::to_string(counted_[i])});
  }
}

void HistoryStore::WriteDescriptions() {
  const std::string published = keys::Publications(ShardOf(ArticleHash(site_.seed, "")), site_.name);
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    const std::string key = keys::Articles(Shard{static_cast<uint8_t>(i)}, site_.name);
    for (const uint32_t article : articles_[i]) {
      const uint64_t hash = Hash64(ids_[article], options_.seed);
      if (hash % 100 >= options_.announced) continue;
      const double seconds = static_cast<double>(first_day_ + int64_t{0}) * kDaySeconds +
                             popularity_.birth(article) * static_cast<double>(kDaySeconds);
      const int64_t unix_ms = static_cast<int64_t>(seconds) * 1'000;
      const v1::Article described = Describe(ids_[article], hash / 100, unix_ms);
      pipe_.Send({"HSET", key, ids_[article], described.SerializeAsString()});
      pipe_.Send({"ZADD", published, std::to_string(unix_ms), ids_[article]});
      ++tally_.announced;
    }
  }
}

absl::StatusOr<std::map<std::string, uint64_t>> HistoryStore::ReadMemory(Shard shard) {
  std::map<std::string, uint64_t> memory;
  const auto add = [&](const char* kind, const std::string& key) -> absl::Status {
    const auto used = pipe_.Ask({"MEMORY", "USAGE", key, "SAMPLES", "0"});
    if (used.ok() && !used->empty()) memory[kind] += std::stoull(*used);
    return used.status();
  };
  const auto add_window = [&](const char* hash, const char* ranking, Window window) -> absl::Status {
    auto status = add(hash, keys::Counts(shard, site_.name, window));
    return status.ok() ? add(ranking, keys::Ranking(shard, site_.name, window)) : status;
  };
  absl::Status status = add_window("all-time hashes", "all-time rankings", {Window::Kind::kAllTime, 0});
  for (size_t day = 0; day < options_.days && status.ok(); ++day) {
    status = add_window("day hashes", "day rankings", DayWindow(first_day_ + static_cast<int64_t>(day)));
  }
  for (int64_t hour = now_ / kHourSeconds - kHoursKept; hour <= now_ / kHourSeconds && status.ok(); ++hour) {
    const Window window{Window::Kind::kHour, static_cast<uint32_t>(hour)};
    status = add_window("hour hashes", "hour rankings", window);
  }
  if (status.ok()) status = add("bots' hashes", keys::Counts(shard, site_.name, {Window::Kind::kBots, 0}));
  if (status.ok()) status = add("descriptions", keys::Articles(shard, site_.name));
  if (!status.ok()) return status;
  return memory;
}

}  // namespace viewcount::bench
