// `safeguard lists check`: which entries a content hits, as a cascade's first layer sees it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "base/utc_time.h"
#include "storage/list_files.h"

namespace safeguard::apps {
namespace {

using moderation::ListEffect;
using moderation::ListHit;

nlohmann::ordered_json HitJson(const ListHit& hit, moderation::ContentKind kind) {
  nlohmann::ordered_json evidence = nlohmann::ordered_json::array();
  for (const moderation::Evidence& each : hit.evidence) {
    nlohmann::ordered_json place = {{"start", each.start}, {"end", each.end}, {"text", each.text}};
    if (kind == moderation::ContentKind::kConversation) {
      place["message"] = each.message;
    }
    evidence.push_back(std::move(place));
  }
  return {{"action", moderation::ActionName(hit.effect)},
          {"list", hit.list},
          {"entry", hit.entry},
          {"reason", hit.reason},
          {"category", hit.category},
          {"rule_ids", hit.rule_ids},
          {"evidence", std::move(evidence)}};
}

std::string HitText(const ListHit& hit, bool color) {
  const Style style = hit.effect == ListEffect::kViolation ? Style::kRed
                      : hit.effect == ListEffect::kSafe    ? Style::kGreen
                                                           : Style::kYellow;
  std::string rules;
  for (const std::string& rule : hit.rule_ids) {
    rules += (rules.empty() ? "" : ", ") + rule;
  }
  std::string text =
      fmt::format("{}  {} {}{}: {}\n",
                  Styled(fmt::format("{:<9}", moderation::ActionName(hit.effect)), style, color),
                  Printable(hit.list), hit.entry,
                  rules.empty() ? "" : " (" + Printable(rules) + ")", Printable(hit.reason));
  for (const moderation::Evidence& each : hit.evidence) {
    text += fmt::format("           bytes {}-{} \"{}\"\n", each.start, each.end,
                        Shorten(Printable(each.text), 60));
  }
  return text;
}

}  // namespace

ExitCode RunListsCheck(const ListsCheckArguments& arguments, Console& console) {
  std::int64_t now = UtcNow();
  if (!arguments.at.empty()) {
    const Result<std::int64_t> at = ParseUtc(arguments.at);
    if (!at) {
      return Fails(console, at.error(), ExitCode::kUsage);
    }
    now = *at;
  }
  const Result<ContentInput> input = ReadContent(arguments.content, console);
  if (!input) {
    return Fails(console, input.error(), ExitCode::kUsage);
  }
  const auto files = storage::ListFiles::Open(arguments.lists, [now] { return now; });
  if (!files) {
    return Fails(console, files.error(), ExitCode::kCannotRun);
  }
  moderation::Policy policy;
  policy.id = arguments.policy;
  Result<std::vector<ListHit>> hits = (*files)->layer()->Match(input->content, policy);
  if (!hits) {
    return Fails(console, hits.error(), ExitCode::kUsage);
  }
  for (ListHit& hit : *hits) {
    moderation::Verdict places;
    places.evidence = std::move(hit.evidence);
    Restore(*input, places);
    hit.evidence = std::move(places.evidence);
    console.Out(arguments.json ? JsonLine(HitJson(hit, input->content.kind)) + "\n"
                               : HitText(hit, UseColor(console, arguments.color)));
  }
  if (hits->empty() && !arguments.json) {
    console.Out("no entry hits\n");
  }
  const auto any = [&](ListEffect effect) {
    return std::ranges::find(*hits, effect, &ListHit::effect) != hits->end();
  };
  return any(ListEffect::kViolation) ? ExitCode::kViolation
         : any(ListEffect::kSuspect) ? ExitCode::kUndetermined
                                     : ExitCode::kSafe;
}

}  // namespace safeguard::apps
