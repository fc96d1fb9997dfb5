// `safeguard verdicts receipt`, `safeguard replay` and `safeguard doctor`.
#include <CLI/CLI.hpp>

#include "apps/command_line/command_tree.h"
#include "apps/command_line/options.h"

namespace safeguard::apps {
namespace {

constexpr const char* kReceiptExamples = R"(Examples:
  safeguard verdicts receipt 12 > receipt.json

The sequence is that of `safeguard verdicts --json`. The receipt names weights, policy, settings and
token ids by their hashes, and holds the content's hash, not the content. Where the data folder has an
audit log (safeguard audit init), the receipt is signed with its key.)";

constexpr const char* kReplayExamples = R"(Examples:
  safeguard replay receipt.json --content message.txt
  safeguard replay receipt.json --conversation chat.json --data-dir /var/lib/safeguard
  safeguard replay receipt.json --content message.txt --key public_key    # of DATA/audit
  safeguard verdicts receipt 12 | safeguard replay - --json    # where the log has kept the text

Exit codes: 0 the same verdict; 1 it differs, or the signature does not match or is not of a trusted
key; 2 wrong usage, or not the receipt's content; 4 it cannot be computed here: a model or the policy
is missing.)";

constexpr const char* kDoctorExamples = R"(Examples:
  safeguard doctor
  safeguard doctor --config /etc/safeguard/serve.yaml --data-dir /var/lib/safeguard
  safeguard doctor --model gpt-oss-safeguard-20b --json

Changes nothing. Exit codes: 0 all is well, or warnings alone; 1 at least one error.)";

}  // namespace

void CommandTree::AddReceipt(CLI::App* verdicts) {
  CLI::App* command = verdicts->add_subcommand("receipt", "Print the receipt of one verdict");
  command->add_option("sequence", receipt_.sequence, "Its number in the log")
      ->type_name("N")
      ->required()
      ->check(NumberFrom(1, 9e15));
  AddDataFolder(command, receipt_.data_dir);
  command->footer(kReceiptExamples);
}

void CommandTree::AddReplay() {
  CLI::App* command =
      app_->add_subcommand("replay", "Compute the verdict of a receipt again, and compare");
  command->add_option("receipt", replay_.receipt, "The receipt; -: standard input")
      ->type_name("FILE")
      ->required();
  CLI::Option* content = AddFile(command, "--content", replay_.content,
                                 "The content that was judged (default: what the log has kept)");
  AddFile(command, "--conversation", replay_.conversation, "The same, of a conversation in JSON")
      ->excludes(content);
  command
      ->add_option("--policy", replay_.policies,
                   "The policy (default: the one of the receipt's hash, in the store or shipped); "
                   "repeat it where one prompt was about several")
      ->type_name("POLICY")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command->add_option("--model", replay_.model, "The model (default: where the receipt says)")
      ->type_name("PATH");
  AddFile(command, "--route", replay_.route, "The route's file (default: where the receipt says)");
  command
      ->add_option(
          "--key", replay_.keys,
          "A public key that is trusted: its digits, or a file with them; the receipt must "
          "be signed with it. Repeat it for more")
      ->type_name("KEY")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  AddDataFolder(command, replay_.data_dir);
  replay_.threads = DefaultThreads();
  AddThreads(command, replay_.threads);
  AddJson(command, replay_.json, "As one JSON object");
  command->footer(kReplayExamples);
}

void CommandTree::AddDoctor() {
  CLI::App* command = app_->add_subcommand(
      "doctor", "Look at machine, models, data and configuration: what to mend");
  AddFile(command, "--config", doctor_.config, "The configuration of `safeguard serve`");
  AddDataFolder(command, doctor_.data_dir);
  command->add_option("--model", doctor_.model, "A checkpoint of the reasoner")->type_name("PATH");
  command->add_flag("--network", doctor_.network,
                    "Also try whether the upstream of the configuration can be reached");
  AddJson(command, doctor_.json, "One JSON object");
  AddColor(command, doctor_.color);
  command->footer(kDoctorExamples);
}

std::optional<Invocation> CommandTree::SelectedOfReceipts(const std::string& name) const {
  if (name == "receipt") {
    return receipt_;
  }
  if (name == "replay") {
    return replay_;
  }
  if (name == "doctor") {
    return doctor_;
  }
  return std::nullopt;
}

}  // namespace safeguard::apps
