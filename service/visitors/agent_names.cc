#include "service/visitors/agent_names.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace viewcount {
namespace {

// Programs with a browser of their own, which one of the lists takes for a fetcher of the same name or of a similar
// one: apps of Facebook and Viber, apps of search engines, and programs based on Electron.
constexpr std::array<std::string_view, 19> kNames = {
    "[FBAN/",
    "[FB_IAB/",
    "AP3A.240617.008",
    "Code/1.",
    "Fluid/",
    "GoogleNews/",
    "GoogleSearchApp",
    "MetaIAB Facebook",
    "MozacFetch/",
    "Notion/",
    "Sonic Slack_SSB/",
    "Slack_SSB/",
    "SogouMSE,",
    "SogouMobileBrowser/",
    "TSM-turingos",
    "Trae/",
    "Viber/",
    " Viber",
    "com.google.android.googlequicksearchbox",
};

// Words in the names of apps for phones. Other agents with such a word stay bots'.
constexpr std::array<std::string_view, 5> kWords = {"news", "feed", "scan", "whatsapp", "instapaper"};

constexpr std::string_view kAndroid = "Android ";

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool IsOfAnApp(std::string_view agent) {
  return !Contains(agent, "http:") && !Contains(agent, "https:") && !Contains(agent, "@") &&
         !Contains(agent, "compatible;");
}

bool IsOfAPhone(std::string_view agent) {
  constexpr std::array<std::string_view, 5> kBeginnings = {"Mozilla/5.0 (Linux; Android",
                                                           "Mozilla/5.0 (Linux; U; Android", "Mozilla/5.0 (iPhone",
                                                           "Mozilla/5.0 (iPad", "Mozilla/5.0 (iPod"};
  return std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](std::string_view beginning) { return agent.substr(0, beginning.size()) == beginning; });
}

void Overwrite(std::string& agent, size_t at, size_t size) {
  if (size == 0) return;
  agent[at] = ' ';
  std::fill_n(agent.begin() + static_cast<ptrdiff_t>(at) + 1, size - 1, ';');
}

void OverwriteNames(std::string& agent) {
  for (const std::string_view name : kNames) {
    for (size_t at = 0; (at = agent.find(name, at)) != std::string::npos; at += name.size()) {
      Overwrite(agent, at, name.size());
    }
  }
}

// The model follows the version: "(Linux; Android 11; Robot 5G Build/RP1A)".
void OverwriteModel(std::string& agent) {
  const size_t platform_end = agent.find(')');
  const size_t android = agent.find(kAndroid);
  if (platform_end == std::string::npos || android >= platform_end) return;
  const size_t separator = agent.find("; ", android);
  if (separator >= platform_end) return;
  const size_t begin = separator + 2;
  Overwrite(agent, begin, std::min(agent.find(';', begin), platform_end) - begin);
}

void OverwriteWords(std::string& agent) {
  for (const std::string_view word : kWords) {
    const auto is_equal = [](char of_agent, char of_word) { return absl::ascii_tolower(of_agent) == of_word; };
    for (auto at = agent.begin();
         (at = std::search(at, agent.end(), word.begin(), word.end(), is_equal)) != agent.end();) {
      Overwrite(agent, static_cast<size_t>(at - agent.begin()), word.size());
    }
  }
}

}  // namespace

std::string WithoutReadersNames(std::string_view agent) {
  std::string result(agent);
  if (!IsOfAnApp(agent)) return result;
  OverwriteNames(result);
  if (!IsOfAPhone(agent)) return result;
  OverwriteModel(result);
  OverwriteWords(result);
  return result;
}

}  // namespace viewcount
