#include "client/cli/alert_options.h"

#include <CLI/CLI.hpp>
#include <initializer_list>
#include <map>

#include "client/cli/choice_option.h"

namespace viewcount::cli {
namespace {

// Lets at most one of the options be given.
void ExcludeEachOther(std::initializer_list<CLI::Option*> options) {
  for (CLI::Option* const one : options) {
    for (CLI::Option* const other : options) {
      if (one != other) one->excludes(other);
    }
  }
}

// The service has the same bound. Without a check -1 would be taken for the largest number.
CLI::Validator ViewsCheck() {
  constexpr uint64_t kViewsMax = uint64_t{1} << 53;
  CLI::Validator check = CLI::Range(uint64_t{0}, kViewsMax);
  check.description("");
  return check;
}

void AddSubject(CLI::App& command, AlertPutCommand& options) {
  ExcludeEachOther({command.add_option("--section", options.section,
                                       "Watch the articles that were announced with this section, not the whole site"),
                    command.add_option("--article", options.article, "Watch this article: its ID")->type_name("ID"),
                    command.add_option("--address", options.address, "Watch the article of this page's address")
                        ->type_name("ADDRESS")});
  command.add_option("--hours", options.hours, "Watch the last hours, 1 to 24; 1 if not given")
      ->check(CLI::Range(1U, 24U));
}

void AddCondition(CLI::App& command, AlertPutCommand& options) {
  auto* above = command.add_option("--above", options.above, "More views than this in these hours")
                    ->type_name("VIEWS")
                    ->check(ViewsCheck());
  auto* below = command.add_option("--below", options.below, "Fewer views than this, as when traffic stops")
                    ->type_name("VIEWS")
                    ->check(ViewsCheck());
  auto* above_usual =
      command
          .add_option(
              "--above-usual", options.above_usual,
              "More than the usual views times this, such as 3. Usual is the mean of the same hours of the seven "
              "days before")
          ->type_name("FACTOR");
  auto* below_usual =
      command.add_option("--below-usual", options.below_usual, "Fewer than the usual views times this, such as 0.5")
          ->type_name("FACTOR");
  auto* digest = AddChoice(
      command, "--digest", options.digest,
      "No condition: a message about the day before, or on Mondays about the week before, with the "
      "ten most viewed articles",
      std::map<std::string, v1::DigestPeriod>{{"daily", v1::DIGEST_PERIOD_DAY}, {"weekly", v1::DIGEST_PERIOD_WEEK}});
  ExcludeEachOther({above, below, above_usual, below_usual, digest});
  digest->excludes(command.get_option("--hours"));
  command.add_option("--at", options.at, "The hour of the site's time zone at which the digest is sent, 0 to 23")
      ->check(CLI::Range(0U, 23U))
      ->capture_default_str()
      ->needs(digest);
  command
      .add_option("--minimum-usual", options.minimum_usual,
                  "With fewer usual views than this --above-usual and --below-usual send nothing; 20 if not given")
      ->type_name("VIEWS")
      ->check(ViewsCheck())
      ->excludes(above)
      ->excludes(below)
      ->excludes(digest);
  command
      .add_option("--repeat-every", options.repeat_every,
                  "Send the message again so often while the condition holds, 5m to 30d; if not given, never")
      ->type_name("DURATION")
      ->excludes(digest);
}

void AddWebhook(CLI::App& command, AlertPutCommand& options) {
  ExcludeEachOther(
      {command
           .add_option("--webhook", options.webhook,
                       "Where the messages are sent. Other users of this machine can see it while the command runs. "
                       "Without it and --webhook-file the present one stays")
           ->type_name("URL"),
       command
           .add_option("--webhook-file", options.webhook_file,
                       "A file whose first line is the webhook's address; - is "
                       "standard input")
           ->type_name("FILE")});
  command
      .add_option(
          "--secret-file", options.secret_file,
          "A file whose first line is the secret that signs the messages, 16 to 256 bytes. Without it the present "
          "one stays, and a new alert gets a random one, which is printed once")
      ->type_name("FILE");
  AddChoice(command, "--format", options.format,
            "What the webhook takes: viewcount's own json (if not given); slack for an incoming webhook of Slack; "
            "teams for the webhook of a workflow; telegram for https://api.telegram.org/botTOKEN/sendMessage; "
            "zalo for https://bot-api.zaloplatforms.com/botTOKEN/sendMessage, the address of a bot of the Zalo Bot "
            "Platform (an Official Account's API needs a token in a header, which a webhook cannot have)",
            std::map<std::string, v1::AlertFormat>{{"json", v1::ALERT_FORMAT_JSON},
                                                   {"slack", v1::ALERT_FORMAT_SLACK},
                                                   {"teams", v1::ALERT_FORMAT_TEAMS},
                                                   {"telegram", v1::ALERT_FORMAT_TELEGRAM},
                                                   {"zalo", v1::ALERT_FORMAT_ZALO}});
  command
      .add_option(
          "--chat", options.chat,
          "For telegram and zalo, which need it: the chat_id of the chat that receives the messages. The bot must "
          "be a member of it, or the person must have written to the bot")
      ->type_name("CHAT_ID");
  AddChoice(command, "--language", options.language, "English or Vietnamese; en if not given",
            std::map<std::string, v1::AlertLanguage>{{"en", v1::ALERT_LANGUAGE_ENGLISH},
                                                     {"vi", v1::ALERT_LANGUAGE_VIETNAMESE}});
}

// Throws a validation error.
void CheckPut(const AlertPutCommand& options) {
  const bool any = options.above || options.below || options.above_usual || options.below_usual ||
                   options.digest != v1::DIGEST_PERIOD_UNSPECIFIED;
  if (!any) throw CLI::RequiredError("--above, --below, --above-usual, --below-usual or --digest");
  if (options.webhook_file == "-" && options.secret_file == "-") {
    throw CLI::ValidationError("-", "can be read once only");
  }
}

}  // namespace

const char* const kAlertPutExamples =
    "  viewcount alert put quiet --below 10 --hours 2 --webhook-file slack.url --format slack\n"
    "  viewcount alert put rush --above-usual 3 --section sport --webhook https://ops.example.org/hook --repeat-every "
    "6h\n"
    "  viewcount alert put morning --digest daily --at 7 --language vi --format telegram --chat -1001234 \\\n"
    "      --webhook-file telegram.url";

void AddAlertName(CLI::App& command, std::string& name) {
  command.add_option("NAME", name, "The alert's name: 1 to 64 of a-z, A-Z, 0-9, '-', '_', '.'")->required();
}

void AddAlertPutOptions(CLI::App& command, AlertPutCommand& options) {
  AddAlertName(command, options.name);
  AddSubject(command, options);
  AddCondition(command, options);
  AddWebhook(command, options);
  command.parse_complete_callback([&options] { CheckPut(options); });
}

}  // namespace viewcount::cli
