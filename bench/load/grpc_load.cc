#include "bench/load/grpc_load.h"

#include <fmt/format.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "bench/load/corks.h"

namespace viewcount::bench {
namespace {

constexpr std::chrono::seconds kConnectTimeout{5};
// The time after the end during which answers are awaited.
constexpr std::chrono::seconds kDrainTimeout{10};
constexpr std::chrono::milliseconds kEventWait{20};

gpr_timespec FromNow(std::chrono::milliseconds wait) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(wait.count(), GPR_TIMESPAN));
}

grpc_arg IntegerArgument(const char* key, int value) {
  grpc_arg argument{};
  argument.type = GRPC_ARG_INTEGER;
  argument.key = const_cast<char*>(key);
  argument.value.integer = value;
  return argument;
}

}  // namespace

Channels::Channels(const std::string& target, size_t count)
    : target_(target), queue_((grpc_init(), grpc_completion_queue_create_for_next(nullptr))) {
  std::array<grpc_arg, 4> values{
      IntegerArgument(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
      // Retries would change the requested load. Each of these features adds cost to every call.
      IntegerArgument(GRPC_ARG_ENABLE_RETRIES, 0), IntegerArgument(GRPC_ARG_ENABLE_CHANNELZ, 0),
      IntegerArgument(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0)};
  const grpc_channel_args arguments{.num_args = values.size(), .args = values.data()};
  grpc_channel_credentials* credentials = grpc_insecure_credentials_create();
  for (size_t i = 0; i < count; ++i) channels_.push_back(grpc_channel_create(target.c_str(), credentials, &arguments));
  grpc_channel_credentials_release(credentials);
}

Channels::~Channels() {
  for (grpc_channel* channel : channels_) grpc_channel_destroy(channel);
  grpc_completion_queue_shutdown(queue_);
  while (grpc_completion_queue_next(queue_, gpr_inf_future(GPR_CLOCK_MONOTONIC), nullptr).type != GRPC_QUEUE_SHUTDOWN) {
  }
  grpc_completion_queue_destroy(queue_);
  grpc_shutdown();
}

absl::Status Channels::Connect() {
  const gpr_timespec deadline = FromNow(kConnectTimeout);
  for (grpc_channel* channel : channels_) {
    while (true) {
      const grpc_connectivity_state state = grpc_channel_check_connectivity_state(channel, 1);
      if (state == GRPC_CHANNEL_READY) break;
      grpc_channel_watch_connectivity_state(channel, state, deadline, queue_, nullptr);
      // The watch ends without success at the deadline.
      if (grpc_completion_queue_next(queue_, gpr_inf_future(GPR_CLOCK_MONOTONIC), nullptr).success == 0)
        return absl::UnavailableError(fmt::format("no gRPC server answers at {}", target_));
    }
  }
  return absl::OkStatus();
}

void ReceivedMessage::Reset() {
  if (is_copied_) grpc_slice_unref(whole_);
  is_copied_ = false;
  if (buffer_ != nullptr) grpc_byte_buffer_destroy(buffer_);
  buffer_ = nullptr;
}

std::string_view ReceivedMessage::Bytes() {
  if (buffer_ == nullptr) return {};
  const grpc_slice_buffer& pieces = buffer_->data.raw.slice_buffer;
  if (pieces.count == 0) return {};
  if (pieces.count > 1 && !is_copied_) {
    grpc_byte_buffer_reader reader;
    if (grpc_byte_buffer_reader_init(&reader, buffer_) == 0) return {};
    whole_ = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    is_copied_ = true;
  }
  const grpc_slice& slice = is_copied_ ? whole_ : pieces.slices[0];
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
}

grpc_byte_buffer* ToBuffer(Request request) {
  grpc_byte_buffer* buffer = grpc_raw_byte_buffer_create(request.slices.data(), request.slice_count);
  for (size_t i = 0; i < request.slice_count; ++i) grpc_slice_unref(request.slices[i]);
  return buffer;
}

namespace {

// Handles the events of the queue. Events that are available together are handled together, and the requests that they
// cause are sent at the end. Used by one thread.
class EventLoop {
 public:
  EventLoop(const Options& options, const Period& period, Channels& channels, GrpcDriver& driver, Books& books)
      : period_(period),
        channels_(channels),
        driver_(driver),
        books_(books),
        corks_(options.target),
        corks_are_used_(options.rate == 0) {}

  // Handles events until `done` returns true. Cancels all calls at `give_up`.
  template <typename Done>
  void RunUntil(Done done, TimePoint give_up) {
    for (TimePoint now = Clock::now(); !done(now); now = Clock::now()) {
      books_.Tick(now);
      if (now > give_up) driver_.CancelAll();
      grpc_event event = grpc_completion_queue_next(channels_.queue(), FromNow(WaitAt(now)), nullptr);
      // With a fixed rate, answers cause no requests, so corks would have no effect.
      if (corks_are_used_) corks_.Push();
      while (event.type == GRPC_OP_COMPLETE) {
        driver_.Complete(event.tag, event.success != 0, Clock::now());
        event = grpc_completion_queue_next(channels_.queue(), gpr_inf_past(GPR_CLOCK_MONOTONIC), nullptr);
      }
      corks_.Pull();
    }
  }

 private:
  // Returns how long to wait for events. The measured period must begin and end on time.
  std::chrono::milliseconds WaitAt(TimePoint now) const {
    auto wait = kEventWait;
    for (const TimePoint time : {period_.measured_from, period_.end}) {
      if (time > now) wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(time - now));
    }
    return wait;
  }

  const Period& period_;
  Channels& channels_;
  GrpcDriver& driver_;
  Books& books_;
  Corks corks_;
  const bool corks_are_used_;
};

// Sends the requests that are due, from its own thread, because gRPC's queue waits for whole milliseconds only.
class Scheduler {
 public:
  Scheduler(Pump& pump, const Period& period) : thread_([this, &pump, &period] { Run(pump, period); }) {}
  ~Scheduler() {
    stopped_ = true;
    thread_.join();
  }

 private:
  void Run(Pump& pump, const Period& period) {
    // With the default timer slack, the kernel would wake the thread 50 µs late to save wake-ups.
    prctl(PR_SET_TIMERSLACK, 1);
    for (TimePoint now = Clock::now(); now < period.end && !stopped_; now = Clock::now()) {
      std::this_thread::sleep_until(pump.Advance(now));
    }
  }

  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

}  // namespace

void RunGrpcLoad(const Options& options, const Period& period, Channels& channels, RequestSource& source,
                 Tally& tally) {
  Books books(source, tally);
  const auto driver = options.workload == Workload::kStreams ? MakeStreamDriver(options, channels, books)
                                                             : MakeUnaryDriver(options, channels, books);
  Pump pump(period, options.rate, options.in_flight,
            [&driver](size_t slot, TimePoint due) { driver->Send(slot, due); });
  driver->UsePump(pump);
  EventLoop loop(options, period, channels, *driver, books);
  {
    Scheduler scheduler(pump, period);
    loop.RunUntil([&](TimePoint now) { return pump.Finished(now); }, period.end + kDrainTimeout);
  }
  books.Tick(Clock::now());
  pump.ReportUnsent(tally);
  driver->HangUp();
  loop.RunUntil([&](TimePoint) { return driver->Idle(); }, Clock::now() + kDrainTimeout);
}

}  // namespace viewcount::bench
