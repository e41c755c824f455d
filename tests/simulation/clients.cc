#include "tests/simulation/clients.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "service/base/check.h"
#include "service/base/status.h"
#include "service/model/decoder.h"
#include "tests/simulation/violation.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount::simulation {
namespace {

constexpr uint64_t kOpenMax = 6;

std::string Encode(const SentBatch& batch, const WriterId& writer, const Truth& truth) {
  v1::RecordViewsRequest message;
  message.set_site(Truth::SiteName(batch.site));
  if (batch.writer != SentBatch::kNoWriter) {
    message.set_writer_id(writer.bytes.data(), writer.bytes.size());
    message.set_sequence(batch.sequence);
    message.set_sequence_span(batch.span);
  }
  message.set_durability(static_cast<v1::Durability>(batch.durability));
  message.set_import(batch.import);
  for (const SentView& view : batch.views) {
    auto* added = message.add_views();
    added->set_article_id(truth.articles()[view.article].id);
    added->set_count(view.count);
    added->set_bot(view.bot);
    added->set_viewer(view.viewer);
    added->set_event_time_unix_ms(view.event_unix_ms);
  }
  return message.SerializeAsString();
}

}  // namespace

// One attempt to send a batch, in the form in which a transport hands it to a lane.
class Clients::Try final : public Batch {
 public:
  Try(Clients& clients, SentBatch& sent, uint32_t machine, size_t attempt, std::string text)
      : clients_(clients), sent_(sent), machine_(machine), attempt_(attempt), text_(std::move(text)) {
    bytes = text_;
  }
  void Done(const absl::Status& status, const IngestResult& result) override {
    clients_.Answered(*this, status, result);
  }
  SentBatch& sent() { return sent_; }
  uint32_t machine() const { return machine_; }
  size_t attempt() const { return attempt_; }

 private:
  Clients& clients_;
  SentBatch& sent_;
  const uint32_t machine_;
  const size_t attempt_;
  const std::string text_;
};

Clients::Clients(const Settings& settings, Truth& truth, Random& random)
    : settings_(settings), truth_(truth), random_(random), dead_(settings.machines), under_way_(settings.machines) {
  // The copy of a folder does not know what the other copy took of an import, and imports are remembered for ever.
  const bool imports = settings.weights.copy_folder == 0 && settings.weights.restore_image == 0;
  for (uint32_t i = 0; i < std::max(settings.writers, settings.machines); ++i) {
    writers_.push_back({.id = NewId(),
                        .machine = i % settings.machines,
                        .site = static_cast<uint32_t>(random_.Below(settings.sites)),
                        .import = imports && random_.Below(4) == 0});
  }
}

Clients::~Clients() = default;

WriterId Clients::NewId() {
  WriterId id;
  for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(random_.Below(256));
  return id;
}

SentBatch& Clients::Make(uint32_t machine, uint32_t writer, int64_t now_unix_ms) {
  SentBatch batch{.writer = writer, .machine = machine};
  batch.site = static_cast<uint32_t>(random_.Below(settings_.sites));
  if (writer != SentBatch::kNoWriter) {
    Writer& of = writers_[writer];
    batch.site = of.site;
    batch.name = of.name;
    batch.sequence = of.next_sequence;
    batch.span = of.import ? static_cast<uint32_t>(random_.Between(1, 9)) : 1;
    batch.import = of.import;
    of.next_sequence += batch.span;
  }
  constexpr Durability kLevels[] = {Durability::kUnspecified, Durability::kMemory, Durability::kJournaled,
                                    Durability::kStored};
  batch.durability = kLevels[random_.Below(4)];
  const uint64_t views = random_.Between(1, settings_.batch_views_max);
  const auto& articles = truth_.articles();
  while (batch.views.size() < views) {
    const auto article = static_cast<uint32_t>(random_.Below(articles.size()));
    if (articles[article].site != batch.site) {
      // Not every site needs to have an article.
      if (random_.Below(16) == 0) batch.site = articles[article].site;
      batch.views.clear();
      continue;
    }
    SentView view{
        .article = article, .count = static_cast<uint32_t>(random_.Between(1, 5)), .bot = random_.Below(5) == 0};
    if (settings_.viewers && batch.views.size() % 2 == 0) view.viewer = ++viewers_;
    if (settings_.cool_down && writer != SentBatch::kNoWriter) CoolDown(writers_[writer], view);
    constexpr int64_t kHourMs = 3'600'000;
    if (batch.import) {
      view.event_unix_ms = now_unix_ms - static_cast<int64_t>(random_.Below(72)) * kHourMs;
    } else if (random_.Below(4) == 0) {
      // Recent enough to stay valid when a wall clock has been set wrong.
      view.event_unix_ms = now_unix_ms - static_cast<int64_t>(random_.Below(5)) * kHourMs;
    }
    batch.views.push_back(view);
  }
  SentBatch& added = truth_.Add(std::move(batch));
  if (writer != SentBatch::kNoWriter) writers_[writer].batches.push_back(&added);
  return added;
}

void Clients::CoolDown(Writer& writer, SentView& view) {
  if (!writer.viewers.empty() && random_.Half()) {
    const auto& [article, viewer] = random_.Pick(writer.viewers);
    // The article must belong to the batch's site.
    if (truth_.articles()[article].site != truth_.articles()[view.article].site) return;
    view.article = article;
    view.viewer = viewer;
    return;
  }
  if (random_.Below(4) == 0) return;
  view.viewer = ++viewers_;
  writer.viewers.emplace_back(view.article, view.viewer);
}

void Clients::SendNew(const Receiver& to) {
  const auto index = static_cast<uint32_t>(random_.Below(writers_.size()));
  if (random_.Below(10) == 0) {
    SentBatch& batch = Make(to.machine, SentBatch::kNoWriter, to.true_unix_ms());
    if (to.in_doubt) batch.fate = SentBatch::Fate::kMaybe;
    Send(batch, to);
    return;
  }
  if (writers_[index].machine != to.machine) return;
  const auto& batches = writers_[index].batches;
  const auto open = std::count_if(batches.begin(), batches.end(), [](const SentBatch* batch) {
    return batch->fate == SentBatch::Fate::kOpen && !batch->in_memory;
  });
  if (static_cast<uint64_t>(open) >= kOpenMax) return;
  SentBatch& batch = Make(to.machine, index, to.true_unix_ms());
  if (random_.Below(8) != 0) Send(batch, to);
}

void Clients::SendAgain(const Receiver& to) {
  const Writer& writer = random_.Pick(writers_);
  if (writer.machine != to.machine || writer.batches.empty()) return;
  const auto open = std::find_if(writer.batches.begin(), writer.batches.end(),
                                 [](const SentBatch* batch) { return batch->fate == SentBatch::Fate::kOpen; });
  // Usually the next batch in order, sometimes any of the last few.
  if (open != writer.batches.end() && random_.Below(4) != 0) {
    Send(**open, to);
    return;
  }
  const size_t recent = std::min<size_t>(writer.batches.size(), 8);
  Send(*writer.batches[writer.batches.size() - 1 - random_.Below(recent)], to);
}

bool Clients::SendOpen(const Receiver& to) {
  bool any = false;
  for (const Writer& writer : writers_) {
    if (writer.machine != to.machine) continue;
    for (SentBatch* batch : writer.batches) {
      if (batch->fate != SentBatch::Fate::kOpen || batch->in_memory) continue;
      any = true;
      Send(*batch, to);
    }
  }
  return any;
}

void Clients::SendLast(const Receiver& to) {
  for (uint32_t i = 0; i < writers_.size(); ++i) {
    if (writers_[i].machine != to.machine) continue;
    Make(to.machine, i, to.true_unix_ms()).durability = Durability::kJournaled;
  }
}

void Clients::Send(SentBatch& batch, const Receiver& to) {
  const WriterId none;
  const WriterId& writer = batch.writer == SentBatch::kNoWriter ? none : writers_[batch.writer].id;
  auto made = std::make_unique<Try>(*this, batch, to.machine, batch.attempts.size(), Encode(batch, writer, truth_));
  made->receipt_unix_ms = to.clock->UnixMillis();
  made->receipt_time = to.clock->Now();
  batch.attempts.push_back({made->receipt_unix_ms, to.zone_of(batch.site), false});
  const absl::Status valid = DecodeViewsRequest(made->bytes, made->receipt_unix_ms, made->request);
  if (!valid.ok()) {
    // A wall clock that was set wrong makes events too old, or puts them in the future.
    batch.attempts.back().refused = true;
    return;
  }
  made->site = to.site_of(Truth::SiteName(batch.site));
  Try* const passed = made.get();
  under_way_[to.machine].push_back(std::move(made));
  const absl::Status taken = to.lane_of(writer).Submit(passed);
  if (taken.ok()) return;
  Refused(batch, passed->attempt(), taken);
  Drop(*passed);
}

void Clients::Drop(Try& made) {
  auto& all = under_way_[made.machine()];
  const auto at = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.get() == &made; });
  VIEWCOUNT_CHECK(at != all.end());
  std::swap(*at, all.back());
  all.pop_back();
}

void Clients::Answered(Try& made, const absl::Status& status, const IngestResult& result) {
  if (dead_[made.machine()]) return;
  SentBatch& batch = made.sent();
  const size_t attempt = made.attempt();
  Drop(made);
  if (status.ok()) {
    Accepted(batch, attempt, result);
  } else {
    Refused(batch, attempt, status);
  }
}

void Clients::Accepted(SentBatch& batch, size_t attempt, const IngestResult& result) {
  if (result.duplicate) {
    const auto took_it = [&](size_t other) { return other != attempt && !batch.attempts[other].refused; };
    bool possible = false;
    for (size_t i = 0; i < batch.attempts.size(); ++i) possible = possible || took_it(i);
    if (!possible) throw Violation{fmt::format("sequence {} is called a duplicate of nothing", batch.sequence)};
    batch.attempts[attempt].refused = true;
  }
  if (result.durability == Durability::kMemory) {
    if (batch.fate == SentBatch::Fate::kOpen) batch.in_memory = true;
    return;
  }
  if (!result.duplicate) {
    // This attempt is the one that counts.
    for (size_t i = 0; i < batch.attempts.size(); ++i) batch.attempts[i].refused = i != attempt;
  }
  MakeCertain(batch);
  if (result.durability == Durability::kStored) {
    batch.stored = true;
    stored(batch);
  }
}

void Clients::MakeCertain(SentBatch& batch) {
  const auto settle = [](SentBatch& one) {
    if (one.fate == SentBatch::Fate::kOpen) one.fate = SentBatch::Fate::kCertain;
    one.in_memory = false;
  };
  settle(batch);
  if (!IsCurrent(batch)) return;
  for (SentBatch* earlier : writers_[batch.writer].batches) {
    if (earlier->sequence >= batch.sequence) break;
    if (!earlier->may_count()) {
      throw Violation{fmt::format("sequence {} was taken, but not {} before it", batch.sequence, earlier->sequence)};
    }
    settle(*earlier);
  }
}

void Clients::Refused(SentBatch& batch, size_t attempt, const absl::Status& status) {
  batch.attempts[attempt].refused = true;
  if (!IsCurrent(batch)) return;
  Writer& writer = writers_[batch.writer];
  const std::string reason = ReasonOf(status);
  if (reason == "UNKNOWN_WRITER") GoBack(writer, 1);
  if (reason != "SEQUENCE_GAP") return;
  const std::string expected = MetadataOf(status, "expected_sequence");
  uint64_t sequence = 0;
  std::from_chars(expected.data(), expected.data() + expected.size(), sequence);
  GoBack(writer, sequence);
}

void Clients::GoBack(Writer& writer, uint64_t sequence) {
  for (SentBatch* batch : writer.batches) {
    if (batch->sequence < sequence) continue;
    if (batch->fate == SentBatch::Fate::kCertain) {
      throw Violation{fmt::format("sequence {} was acknowledged, but {} is expected", batch->sequence, sequence)};
    }
    // The batch had not been durable.
    batch->in_memory = false;
  }
}

void Clients::EndDeath(uint32_t machine) {
  dead_[machine] = false;
  under_way_[machine].clear();
  for (SentBatch& batch : truth_.batches()) {
    if (batch.machine != machine || batch.fate != SentBatch::Fate::kOpen) continue;
    batch.in_memory = false;
    // A client without a writer ID cannot try again.
    if (batch.writer == SentBatch::kNoWriter) batch.fate = SentBatch::Fate::kMaybe;
  }
}

void Clients::Settled(uint32_t machine) {
  for (SentBatch& batch : truth_.batches()) {
    if (batch.machine == machine && batch.in_memory) MakeCertain(batch);
  }
}

bool Clients::IsCurrent(const SentBatch& batch) const {
  return batch.writer != SentBatch::kNoWriter && writers_[batch.writer].name == batch.name;
}

void Clients::BeginAnew(Writer& writer) {
  ++writer.name;
  writer.id = NewId();
  writer.next_sequence = 1;
  writer.batches.clear();
  writer.viewers.clear();
}

void Clients::Restart(uint32_t machine) {
  Doubt(machine);
  for (Writer& writer : writers_) {
    if (writer.machine == machine) BeginAnew(writer);
  }
}

void Clients::Doubt(uint32_t machine) {
  for (SentBatch& batch : truth_.batches()) {
    if (batch.machine != machine) continue;
    batch.fate = SentBatch::Fate::kMaybe;
    batch.in_memory = false;
  }
}

void Clients::Move(uint32_t from, uint32_t to) {
  for (SentBatch& batch : truth_.batches()) {
    if (batch.machine != from || batch.fate == SentBatch::Fate::kCertain) continue;
    batch.fate = SentBatch::Fate::kMaybe;
    batch.in_memory = false;
  }
  for (Writer& writer : writers_) {
    if (writer.machine != from) continue;
    BeginAnew(writer);
    writer.machine = to;
  }
}

void Clients::AddMachine() {
  dead_.push_back(false);
  under_way_.emplace_back();
}

}  // namespace viewcount::simulation
