// The writer's thread: it takes batches in order and delivers each one before the next.
#include <absl/strings/str_cat.h>

#include <array>
#include <cstdio>
#include <random>
#include <utility>

#include "client/cpp/writer_impl.h"

namespace viewcount::client {
namespace {

std::string RandomWriterId() {
  // On Linux this is the kernel's random number generator.
  std::random_device device;
  std::string id;
  for (int i = 0; i < 4; ++i) {
    const uint32_t word = device();
    id.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  return id;
}

SendOptions SendOptionsOf(const WriterOptions& options) {
  SendOptions result;
  result.call_timeout = options.call_timeout;
  result.batch_timeout = options.batch_timeout;
  result.backoff_min = options.backoff_min;
  result.backoff_max = options.backoff_max;
  return result;
}

// Returns true if the service no longer knows this writer's stream, and says that it counted nothing of the batch.
bool LostTrack(const SendResult& result) {
  return absl::IsFailedPrecondition(result.status) &&
         (result.details.reason == "UNKNOWN_WRITER" || result.details.reason == "SEQUENCE_GAP");
}

}  // namespace

Writer::Impl::Impl(WriterOptions options)
    : options_(std::move(options)),
      sender_(options_.channel ? options_.channel : MakeChannel(options_.server), SendOptionsOf(options_)),
      writer_id_(RandomWriterId()),
      thread_([this] { Run(); }) {}

Writer::Impl::~Impl() { Close(options_.close_timeout).IgnoreError(); }

void Writer::Impl::Run() {
  while (const auto batch = Take()) Deliver(*batch);
}

std::optional<ViewBatch> Writer::Impl::Take() {
  MutexLock lock(mutex_);
  for (;;) {
    if (!sealed_.empty()) {
      ViewBatch batch = std::move(sealed_.front());
      sealed_.pop_front();
      return batch;
    }
    if (open_.empty()) {
      if (closing_) return std::nullopt;
      lock.Wait(work_);
    } else if (const auto due = open_since_ + options_.batch_age_max; std::chrono::steady_clock::now() >= due) {
      SealOpen();
    } else {
      lock.WaitUntil(work_, due);
    }
  }
}

void Writer::Impl::Deliver(const ViewBatch& batch) {
  SendResult result = sender_.Send(Serialise(batch));
  if (LostTrack(result) && sequence_ > 1) {
    Log(absl::StrCat("the service no longer knows this writer at batch ", sequence_, " (", result.details.reason,
                     "); going on as a new writer with the same views",
                     result.outcome_unknown ? "; they may count twice, as an earlier attempt had no answer" : ""));
    BecomeNewWriter();
    const bool unknown = result.outcome_unknown;
    result = sender_.Send(Serialise(batch));
    result.outcome_unknown |= unknown;
  }
  if (result.status.ok() && result.response.duplicate() && result.response.last_sequence() < sequence_) {
    result.status = absl::InternalError(absl::StrCat(
        "the service calls batch ", sequence_, " a duplicate, but its last one is ", result.response.last_sequence()));
    result.outcome_unknown = true;
  }
  if (result.status.ok()) {
    Finish(batch, result);
  } else {
    Drop(batch, result);
  }
}

std::string Writer::Impl::Serialise(const ViewBatch& batch) const {
  v1::RecordViewsRequest request;
  request.set_site(options_.site);
  request.set_writer_id(writer_id_);
  request.set_sequence(sequence_);
  request.set_durability(static_cast<v1::Durability>(options_.durability));
  batch.AppendTo(request);
  return request.SerializeAsString();
}

void Writer::Impl::BecomeNewWriter() {
  writer_id_ = RandomWriterId();
  sequence_ = 1;
  const MutexLock lock(mutex_);
  ++statistics_.new_identities;
}

void Writer::Impl::Finish(const ViewBatch& batch, const SendResult& result) {
  ++sequence_;
  const MutexLock lock(mutex_);
  (result.response.duplicate() ? statistics_.duplicates : statistics_.accepted) += batch.views();
  ++statistics_.batches;
  Release(batch);
}

void Writer::Impl::Drop(const ViewBatch& batch, const SendResult& result) {
  // It may be unknown whether the service counted this sequence. Under the old identity the next batch could be taken
  // for a repeat of this one and be lost. A new identity avoids this.
  BecomeNewWriter();
  DroppedBatch dropped{result.status, result.outcome_unknown, {batch.list().begin(), batch.list().end()}};
  Log(absl::StrCat(batch.views(),
                   " views were dropped: ", result.status.ToString(absl::StatusToStringMode::kWithNoExtraData),
                   result.outcome_unknown ? "; they may have been counted all the same" : ""));
  if (options_.on_drop) options_.on_drop(dropped);
  const MutexLock lock(mutex_);
  statistics_.dropped += batch.views();
  ++dropped_batches_;
  last_drop_ = result.status;
  Release(batch);
}

void Writer::Impl::Release(const ViewBatch& batch) {
  statistics_.pending -= batch.views();
  statistics_.pending_bytes -= batch.bytes();
  ++done_count_;
  done_.notify_all();
}

void Writer::Impl::Log(const std::string& line) const {
  if (options_.log) {
    options_.log(line);
  } else {
    std::fprintf(stderr, "viewcount: %s\n", line.c_str());
  }
}

}  // namespace viewcount::client
