// `safeguard doctor`: what a colleague would look at before they say "it should work".
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <variant>

#include "apps/command_line/command_tree.h"
#include "apps/commands/receipt_commands.h"
#include "apps/doctor/finding.h"
#include "apps/input/data_folder.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "base/utc_time.h"

namespace safeguard::apps {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kIndent = 10;

// The configuration as `serve` would read it; what it complains about is a finding.
ServeArguments ReadConfiguration(const DoctorArguments& arguments, Findings& findings) {
  findings.Begin("configuration");
  std::vector<std::string> words = {"serve"};
  if (!arguments.config.empty()) {
    words.insert(words.end(), {"--config", arguments.config});
  }
  CommandTree tree;
  const Invocation read = tree.Parse(words);
  if (const auto* serve = std::get_if<ServeArguments>(&read)) {
    return *serve;
  }
  const auto* end = std::get_if<ParseEnd>(&read);
  findings.Fault(end == nullptr ? Error{ErrorCode::kInvalidInput, "it cannot be read", ""}
                                : end->error);
  ServeArguments nothing;
  nothing.config = arguments.config;
  return nothing;
}

Findings Examine(const DoctorArguments& arguments, Services& services) {
  Findings configuration;
  const ServeArguments serve = ReadConfiguration(arguments, configuration);
  const bool readable = configuration.all().empty();
  const std::string& named = arguments.data_dir.empty() ? serve.data_dir : arguments.data_dir;
  const std::string folder = NamedDataFolder(named);
  const std::string reasoner = !arguments.model.empty()          ? arguments.model
                               : serve.judge.judge == "reasoner" ? serve.judge.model
                                                                 : serve.talk.chat_model;
  Findings models;
  const std::uint64_t model_bytes = CheckModels(reasoner, services, models);
  Findings all;
  CheckMachine(ReadMachine(folder, services), model_bytes, serve.connections, all);
  const std::int64_t now = UtcNow();
  all.Append(models);
  CheckData(folder, now, all);
  if (readable) {
    CheckConfiguration(serve, folder, now, arguments.network, configuration);
    CheckRoutes(serve, folder, services, configuration);
  }
  all.Append(configuration);
  return all;
}

std::string Text(const Findings& findings, std::size_t width, bool color) {
  std::string text;
  std::string part;
  for (const Finding& finding : findings.all()) {
    if (finding.part != part) {
      part = finding.part;
      text += (text.empty() ? "" : "\n") + Styled(part, Style::kBold, color) + "\n";
    }
    const Style style = finding.health == Health::kOk        ? Style::kGreen
                        : finding.health == Health::kWarning ? Style::kYellow
                                                             : Style::kRed;
    const std::string lines = Wrap(Printable(finding.what), width, kIndent);
    text += "  " + Styled(fmt::format("{:<8}", ToString(finding.health)), style, color) +
            lines.substr(kIndent);
    if (!finding.hint.empty()) {
      text += Wrap("-> " + Printable(finding.hint), width, kIndent);
    }
  }
  const std::size_t errors = findings.Count(Health::kError);
  const std::size_t warnings = findings.Count(Health::kWarning);
  const auto count = [](std::size_t number, const char* word) {
    return fmt::format("{} {}{}", number, word, number == 1 ? "" : "s");
  };
  text += errors + warnings == 0
              ? "\nAll is well.\n"
              : fmt::format("\n{}, {}.\n", count(errors, "error"), count(warnings, "warning"));
  return text;
}

Json JsonOf(const Findings& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings.all()) {
    Json item = {{"health", ToString(finding.health)},
                 {"part", finding.part},
                 {"what", finding.what},
                 {"hint", nullptr}};
    if (!finding.hint.empty()) {
      item["hint"] = finding.hint;
    }
    list.push_back(std::move(item));
  }
  return {{"errors", findings.Count(Health::kError)},
          {"warnings", findings.Count(Health::kWarning)},
          {"findings", std::move(list)}};
}

}  // namespace

ExitCode RunDoctor(const DoctorArguments& arguments, Services& services, Console& console) {
  const Findings findings = Examine(arguments, services);
  console.Out(arguments.json
                  ? JsonOf(findings).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"
                  : Text(findings, console.columns(), UseColor(console, arguments.color)));
  return findings.Count(Health::kError) == 0 ? ExitCode::kSafe : ExitCode::kViolation;
}

}  // namespace safeguard::apps
