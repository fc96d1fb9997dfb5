// `safeguard replay`: the verdict of a receipt, computed again and compared.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/receipt_commands.h"
#include "apps/output/display_text.h"
#include "apps/receipt/receipt_content.h"
#include "apps/receipt/recompute.h"
#include "apps/receipt/signature_report.h"
#include "base/file.h"
#include "moderation/receipt.h"

namespace safeguard::apps {
namespace {

using moderation::ReceiptDifference;
using moderation::VerdictRecord;
using Json = nlohmann::ordered_json;

Result<std::string> ReceiptText(const ReplayArguments& arguments, Console& console) {
  return arguments.receipt == "-" ? console.ReadInput(moderation::kReceiptBytesMax)
                                  : ReadFile(arguments.receipt, moderation::kReceiptBytesMax);
}

std::string Said(const VerdictRecord& record) {
  std::string text = ToString(record.outcome);
  text += record.outcome == moderation::Outcome::kUndetermined
              ? std::string(" (") + ToString(record.reason) + ")"
              : "";
  return text + (record.score ? fmt::format(", score {:.6g}", *record.score) : "");
}

std::string DifferenceLine(const ReceiptDifference& difference) {
  const auto shown = [](const std::string& value) {
    return value.empty() ? std::string("nothing") : Printable(value);
  };
  return fmt::format("  {}: {} -> {}\n", Printable(difference.what), shown(difference.then),
                     shown(difference.now));
}

Json DifferencesJson(const std::vector<ReceiptDifference>& differences) {
  Json list = Json::array();
  for (const ReceiptDifference& difference : differences) {
    list.push_back({{"what", difference.what}, {"then", difference.then}, {"now", difference.now}});
  }
  return list;
}

void Print(const Json& json, Console& console) {
  console.Out(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void Tell(bool as_json, const SignatureReport& signature, const VerdictRecord& then,
          const VerdictRecord& now, Console& console) {
  const auto differences = CompareVerdicts(then, now);
  const auto setups = moderation::CompareSetups(then.provenance.setup, now.provenance.setup);
  if (as_json) {
    Print({{"equal", differences.empty()},
           {"signature", signature.Json()},
           {"differences", DifferencesJson(differences)},
           {"setup_differences", DifferencesJson(setups)},
           {"recomputed", Json::parse(ReceiptJson(now))["verdict"]}},
          console);
    return;
  }
  std::string text =
      signature.text + fmt::format("Verdict {} under {}@{}, by {} {}\n  then {}\n  now  {}\n",
                                   then.sequence, Printable(then.policy.id),
                                   Printable(then.policy.version), Printable(then.layer),
                                   Printable(then.model), Said(then), Said(now));
  text += differences.empty() ? "The same verdict.\n" : "THE VERDICT DIFFERS:\n";
  for (const ReceiptDifference& difference : differences) {
    text += DifferenceLine(difference);
  }
  if (!differences.empty() && then.score && now.score && *then.score != *now.score) {
    text += fmt::format("The score differs by {:+.6g}.\n", *now.score - *then.score);
  }
  if (!setups.empty()) {
    text += differences.empty() ? "It was judged by another build or on another machine:\n"
                                : "It was judged by another build or on another machine, which may "
                                  "be why:\n";
    for (const ReceiptDifference& difference : setups) {
      text += DifferenceLine(difference);
    }
  }
  console.Out(text);
}

}  // namespace

ExitCode RunReplay(const ReplayArguments& arguments, Services& services, Console& console) {
  const Result<std::string> text = ReceiptText(arguments, console);
  const Result<VerdictRecord> receipt =
      text ? moderation::ReceiptFromJson(*text) : std::unexpected(text.error());
  const Result<SignatureReport> signature =
      receipt ? CheckSignature(*text, arguments.keys) : std::unexpected(receipt.error());
  if (!signature) {
    return Fails(console, signature.error(), ExitCode::kUsage);
  }
  if (!signature->good) {  // what it says is not to be believed, not even which judge to open
    if (arguments.json) {
      Print({{"equal", nullptr}, {"signature", signature->Json()}}, console);
    } else {
      console.Out(signature->text + "Nothing was computed.\n");
    }
    return ExitCode::kViolation;
  }
  const Result<moderation::Content> content = ContentFor(arguments, *receipt, console);
  if (!content) {
    return Fails(console, content.error(), ExitCode::kUsage);
  }
  const Result<VerdictRecord> now = Recompute(arguments, *content, *receipt, services, console);
  if (!now) {
    return Fails(console, now.error(), ExitCode::kCannotRun);
  }
  Tell(arguments.json, *signature, *receipt, *now, console);
  return CompareVerdicts(*receipt, *now).empty() ? ExitCode::kSafe : ExitCode::kViolation;
}

}  // namespace safeguard::apps
