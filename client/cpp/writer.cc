#include "client/cpp/writer.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "client/cpp/writer_impl.h"
#include "service/base/limits.h"
#include "service/base/text.h"

namespace viewcount::client {
namespace {

using std::chrono::milliseconds;

absl::Status Validate(const WriterOptions& options) {
  const auto refuse = [](const char* option, const char* allowed) {
    return absl::InvalidArgumentError(absl::StrCat("option ", option, ": must be ", allowed));
  };
  if (!IsSiteName(options.site)) {
    return refuse("site", "1 to 64 of a-z, A-Z, 0-9, '-', '_', '.', beginning with a letter or digit");
  }
  if (options.channel == nullptr && options.server.empty()) return refuse("server", "HOST:PORT");
  if (options.batch_entries_max < 1 || options.batch_entries_max > limits::kBatchViewsMax) {
    return refuse("batch_entries_max", "1 to 10,000");
  }
  if (options.pending_bytes_max == 0) return refuse("pending_bytes_max", "above 0");
  if (options.batch_age_max <= milliseconds(0)) return refuse("batch_age_max", "above 0");
  if (options.call_timeout <= milliseconds(0)) return refuse("call_timeout", "above 0");
  if (options.batch_timeout <= milliseconds(0)) return refuse("batch_timeout", "above 0");
  if (options.close_timeout < milliseconds(0)) return refuse("close_timeout", "0 or above");
  if (options.backoff_min <= milliseconds(0)) return refuse("backoff_min", "above 0");
  if (options.backoff_max < options.backoff_min) return refuse("backoff_max", "at least backoff_min");
  return absl::OkStatus();
}

}  // namespace

Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Writer::~Writer() = default;

absl::StatusOr<std::unique_ptr<Writer>> Writer::Create(WriterOptions options) {
  if (auto status = Validate(options); !status.ok()) return status;
  return std::unique_ptr<Writer>(new Writer(std::make_unique<Impl>(std::move(options))));
}

absl::Status Writer::Record(const View& view) { return impl_->Record(view, true); }
absl::Status Writer::TryRecord(const View& view) { return impl_->Record(view, false); }
absl::Status Writer::Flush(milliseconds timeout) { return impl_->Flush(timeout); }
absl::Status Writer::Close(milliseconds timeout) { return impl_->Close(timeout); }
WriterStatistics Writer::statistics() const { return impl_->statistics(); }

}  // namespace viewcount::client
