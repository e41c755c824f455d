// Implements the commands alert put, list, delete and test.
#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <fstream>
#include <iostream>
#include <string>

#include "client/cli/commands.h"
#include "service/base/duration.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

using google::protobuf::util::TimeUtil;

// Returns the first line of a file without the spaces around it.
absl::StatusOr<std::string> FirstLineOf(const std::string& file) {
  std::string line;
  if (file == "-") {
    std::getline(std::cin, line);
  } else {
    std::ifstream input(file);
    if (!input) return absl::FailedPreconditionError(fmt::format("cannot read {}", file));
    std::getline(input, line);
  }
  constexpr char kSpaces[] = " \t\r";
  line.erase(0, line.find_first_not_of(kSpaces));
  line.erase(line.find_last_not_of(kSpaces) + 1);
  if (line.empty()) return absl::InvalidArgumentError(fmt::format("the first line of {} is empty", file));
  return line;
}

absl::Status FillSecrets(const AlertPutCommand& command, v1::Alert& alert) {
  alert.set_webhook_url(command.webhook);
  if (!command.webhook_file.empty()) {
    auto address = FirstLineOf(command.webhook_file);
    if (!address.ok()) return address.status();
    alert.set_webhook_url(*std::move(address));
  }
  if (command.secret_file.empty()) return absl::OkStatus();
  auto secret = FirstLineOf(command.secret_file);
  if (!secret.ok()) return secret.status();
  alert.set_secret(*std::move(secret));
  return absl::OkStatus();
}

void FillCondition(const AlertPutCommand& command, v1::Alert& alert) {
  if (!command.section.empty()) alert.set_section(command.section);
  if (!command.article.empty()) alert.set_article_id(command.article);
  if (!command.address.empty()) alert.set_address(command.address);
  alert.set_hours(command.hours);
  if (command.above) alert.set_views_above(*command.above);
  if (command.below) alert.set_views_below(*command.below);
  if (command.above_usual) alert.set_above_usual(*command.above_usual);
  if (command.below_usual) alert.set_below_usual(*command.below_usual);
  if (command.digest != v1::DIGEST_PERIOD_UNSPECIFIED) {
    alert.mutable_digest()->set_period(command.digest);
    alert.mutable_digest()->set_hour(command.at);
  }
  alert.set_minimum_usual(command.minimum_usual);
}

std::string SubjectOf(const v1::Alert& alert) {
  if (alert.has_section()) return "section " + alert.section();
  return alert.has_article_id() ? alert.article_id() : "the site";
}

std::string ConditionOf(const v1::Alert& alert) {
  if (alert.has_digest()) {
    return fmt::format("{} digest at {:02}:00", alert.digest().period() == v1::DIGEST_PERIOD_WEEK ? "weekly" : "daily",
                       alert.digest().hour());
  }
  const std::string hours =
      fmt::format("in {}", alert.hours() <= 1 ? "1 hour" : fmt::format("{} hours", alert.hours()));
  if (alert.has_views_above()) return fmt::format("above {} {}", Grouped(alert.views_above()), hours);
  if (alert.has_views_below()) return fmt::format("below {} {}", Grouped(alert.views_below()), hours);
  if (alert.has_above_usual()) return fmt::format("above {:g} times the usual {}", alert.above_usual(), hours);
  return fmt::format("below {:g} times the usual {}", alert.below_usual(), hours);
}

std::string FormatOf(const v1::Alert& alert) {
  switch (alert.format()) {
    case v1::ALERT_FORMAT_SLACK:
      return "slack";
    case v1::ALERT_FORMAT_TEAMS:
      return "teams";
    case v1::ALERT_FORMAT_TELEGRAM:
      return "telegram";
    case v1::ALERT_FORMAT_ZALO:
      return "zalo";
    default:
      return "json";
  }
}

std::string StateOf(const v1::AlertState& state) {
  if (state.sending()) return state.firing() ? "firing, sending" : "sending";
  return state.firing() ? "firing" : "";
}

}  // namespace

absl::Status Run(Session& session, const AlertPutCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::PutAlertRequest request;
  v1::Alert& alert = *request.mutable_alert();
  alert.set_site(*site);
  alert.set_name(command.name);
  alert.set_format(command.format);
  alert.set_chat(command.chat);
  alert.set_language(command.language);
  FillCondition(command, alert);
  if (!command.repeat_every.empty()) {
    const auto every = ParseDuration(command.repeat_every);
    if (!every) return absl::InvalidArgumentError("--repeat-every must be a whole number with its unit, such as 6h");
    *alert.mutable_repeat_every() = TimeUtil::MillisecondsToDuration(every->count());
  }
  if (auto status = FillSecrets(command, alert); !status.ok()) return status;
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::PutAlert, request);
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  const v1::Alert& put = response->alert();
  Print(fmt::format("alert {} {}: {}, {}, to {}\n", put.name(), response->created() ? "created" : "changed",
                    OneLine(SubjectOf(put)), ConditionOf(put), put.webhook_origin()));
  if (response->has_present_views()) {
    const std::string usual = response->has_usual_views()
                                  ? fmt::format("; usual are {:.1f}, the mean of {}", response->usual_views(),
                                                Counted(response->usual_days(), "day"))
                                  : "";
    Print(fmt::format("at present {}{}\n", Counted(response->present_views(), "view"), usual));
  }
  if (!response->generated_secret().empty()) {
    Print(fmt::format("secret {}\n", response->generated_secret()));
    PrintError("note: the secret is not shown again; the receiver needs it to check the signature");
  }
  return absl::OkStatus();
}

absl::Status Run(Session& session, const AlertListCommand&) {
  v1::ListAlertsRequest request;
  request.set_site(session.options().site);
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::ListAlerts, request);
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  Table table({{"SITE"},
               {"ALERT"},
               {"WATCHES"},
               {"CONDITION"},
               {"WEBHOOK"},
               {"FORMAT"},
               {"STATE"},
               {"LAST MESSAGE"},
               {"PROBLEM"}});
  for (const auto& listed : response->alerts()) {
    const v1::Alert& alert = listed.alert();
    const v1::AlertState& state = listed.state();
    table.Add({alert.site(), alert.name(), SubjectOf(alert), ConditionOf(alert), alert.webhook_origin(),
               FormatOf(alert), StateOf(state), state.has_message_time() ? TimeText(state.message_time()) : "",
               state.problem()});
  }
  Print(response->alerts().empty() ? "no alert yet; create one with: viewcount alert put NAME\n" : table.Text());
  return absl::OkStatus();
}

absl::Status Run(Session& session, const AlertDeleteCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::DeleteAlertRequest request;
  request.set_site(*site);
  request.set_name(command.name);
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::DeleteAlert, request);
  if (!response.ok()) return response.status();
  Print(session.options().json ? JsonOf(*response) : fmt::format("alert {} deleted\n", command.name));
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> Run(Session& session, const AlertTestCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::TestAlertRequest request;
  request.set_site(*site);
  request.set_name(command.name);
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::TestAlert, request);
  if (!response.ok()) return response.status();
  if (session.options().json) {
    Print(JsonOf(*response));
  } else if (response->delivered()) {
    Print(fmt::format("delivered: the webhook answered with {}\n", response->http_status()));
  } else {
    PrintError(fmt::format("the message was not delivered: {}", response->problem()));
  }
  return response->delivered() ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace viewcount::cli
