// `safeguard guard`: a stream that is there already, through the stream guard.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/guard_commands.h"
#include "apps/commands/judging.h"
#include "apps/output/display_text.h"
#include "apps/output/verdict_json.h"
#include "base/check.h"
#include "base/file.h"
#include "http/guard/judge_scorer.h"
#include "http/guard/run_stream.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kStreamBytesMax = std::size_t{64} << 20;
constexpr std::size_t kRangesShown = 20;

Result<guard::GuardSettings> SettingsOf(const GuardArguments& arguments) {
  guard::GuardSettings settings;
  const auto format = guard::WireFormatFrom(arguments.format);
  const auto on_error = guard::FailModeFrom(arguments.on_error);
  CHECK(format && on_error);  // the command line offers no others
  settings.format = *format;
  settings.fail_mode = *on_error;
  settings.contract.tokens_max = arguments.tokens;
  settings.reasoning =
      arguments.reasoning == "drop" ? guard::Reasoning::kDrop : guard::Reasoning::kScan;
  settings.whole_pass = !arguments.no_whole_pass;
  // The stream is there already: nothing can be gained by holding the rest of it.
  settings.limits.held_bytes_max = kStreamBytesMax;
  if (arguments.violation_at >= 0) {
    settings.violation_at = arguments.violation_at;
  }
  const Status checked = guard::CheckSettings(settings);
  return checked ? Result<guard::GuardSettings>(std::move(settings))
                 : std::unexpected(checked.error());
}

std::string LedgerText(const guard::StreamGuard& guard, const guard::StreamOutput& output,
                       const GuardArguments& arguments) {
  const guard::LedgerSummary summary = guard.ledger().Summary();
  std::string text = fmt::format("stream: {}\n", guard::ToString(guard.state()));
  for (const guard::GuardEvent& event : output.events) {
    text += fmt::format("  {}{}{}\n", guard::ToString(event.kind),
                        event.channel.empty() ? "" : " in " + Printable(event.channel),
                        event.detail.empty() ? "" : ": " + Printable(event.detail));
  }
  text += fmt::format(
      "ledger: {} bytes of text released, {} of them unscanned; {} bytes judged in {} windows, {} "
      "requests\n",
      summary.released_bytes, summary.unscanned_bytes, summary.scanned_bytes, summary.windows,
      output.asked);
  text += fmt::format("contract: at most {} visible before they are judged; it came to {}\n",
                      arguments.tokens, summary.exposed_tokens_max);
  if (guard.dropped_fields() > 0) {
    text += fmt::format("{} fields that cannot be judged were taken out\n", guard.dropped_fields());
  }
  std::size_t shown = 0;
  for (const guard::ChannelLedger& channel : guard.ledger().channels()) {
    for (const guard::ScannedRange& range : channel.scanned) {
      if (shown++ < kRangesShown) {
        text +=
            fmt::format("  {:<18} {:>6} - {:<6} {} {}{}\n", Printable(channel.name), range.begin,
                        range.end, range.judged ? "judged by" : "NOT JUDGED:", Printable(range.by),
                        range.score ? fmt::format(" {:.3f}", *range.score) : "");
      }
    }
  }
  return text + (shown > kRangesShown ? fmt::format("  and {} more\n", shown - kRangesShown) : "");
}

nlohmann::ordered_json LedgerJson(const guard::StreamGuard& guard,
                                  const guard::StreamOutput& output) {
  const guard::LedgerSummary summary = guard.ledger().Summary();
  nlohmann::ordered_json json = {{"state", guard::ToString(guard.state())},
                                 {"released", output.released},
                                 {"released_bytes", summary.released_bytes},
                                 {"scanned_bytes", summary.scanned_bytes},
                                 {"unscanned_bytes", summary.unscanned_bytes},
                                 {"exposed_tokens_max", summary.exposed_tokens_max},
                                 {"dropped_fields", guard.dropped_fields()},
                                 {"events", nlohmann::ordered_json::array()},
                                 {"channels", nlohmann::ordered_json::array()}};
  for (const guard::GuardEvent& event : output.events) {
    json["events"].push_back({{"kind", guard::ToString(event.kind)},
                              {"channel", event.channel},
                              {"detail", event.detail}});
  }
  for (const guard::ChannelLedger& channel : guard.ledger().channels()) {
    nlohmann::ordered_json scanned = nlohmann::ordered_json::array();
    for (const guard::ScannedRange& range : channel.scanned) {
      scanned.push_back({{"begin", range.begin},
                         {"end", range.end},
                         {"judged", range.judged},
                         {"by", range.by},
                         {"score", range.score ? nlohmann::ordered_json(*range.score)
                                               : nlohmann::ordered_json(nullptr)}});
    }
    json["channels"].push_back({{"name", channel.name},
                                {"released_to", channel.released_to()},
                                {"scanned", std::move(scanned)}});
  }
  return json;
}

ExitCode CodeOf(guard::GuardState state) {
  return state == guard::GuardState::kViolation   ? ExitCode::kViolation
         : state == guard::GuardState::kCompleted ? ExitCode::kSafe
                                                  : ExitCode::kUndetermined;
}

}  // namespace

ExitCode RunGuard(const GuardArguments& arguments, Services& services, Console& console) {
  const JudgingRequest request{arguments.policies, arguments.golden, arguments.judge,
                               arguments.data_dir};
  const Status usage = CheckUsage(request);
  Result<guard::GuardSettings> settings = SettingsOf(arguments);
  if (!usage || !settings) {
    return Fails(console, usage ? settings.error() : usage.error(), ExitCode::kUsage);
  }
  const Result<std::string> stream = arguments.file.empty()
                                         ? console.ReadInput(kStreamBytesMax)
                                         : ReadFile(arguments.file, kStreamBytesMax);
  if (!stream) {
    return Fails(console, stream.error(), ExitCode::kUsage);
  }
  Result<std::vector<LoadedPolicy>> policies = LoadPolicies(request, services);
  if (!policies) {
    return Fails(console, policies.error(), ExitCode::kCannotRun);
  }
  Result<Calibrations> calibrations = FindCalibrations(
      arguments.calibration, *policies, arguments.data_dir, arguments.judge, services, console);
  if (!calibrations) {
    return Fails(console, calibrations.error(), ExitCode::kCannotRun);
  }
  const Result<Judging> judging =
      OpenJudging(std::move(*policies), request, std::move(*calibrations), services);
  if (!judging) {
    return Fails(console, judging.error(), ExitCode::kCannotRun);
  }
  guard::JudgeScorer scorer(*judging->judge, judging->prepared);
  guard::StreamGuard guard(std::move(*settings), guard::Duration::zero());
  const guard::StreamOutput output =
      guard::RunStream(guard, *stream, arguments.chunk, scorer, nullptr);
  if (arguments.json) {
    console.Out(JsonLine(LedgerJson(guard, output)) + "\n");
  } else {
    console.Out(output.released);
    console.Error(LedgerText(guard, output, arguments));
  }
  return CodeOf(guard.state());
}

}  // namespace safeguard::apps
