// `safeguard guard` and `safeguard audit ...`.
#include <CLI/CLI.hpp>

#include "apps/command_line/command_tree.h"
#include "apps/command_line/options.h"

namespace safeguard::apps {
namespace {

constexpr const char* kGuardExamples = R"(Examples:
  safeguard guard --policy spam --format openai-chat < stream.sse
  safeguard guard --policy spam --format plain --json < answer.txt

Standard output has what a client would have been sent, standard error what was judged and released.
The exit code is 1 when the stream was stopped as a violation, 3 when it could not be judged or
understood, 0 when all of it passed.
)";

constexpr const char* kAuditExamples = R"(Examples:
  safeguard audit init
  safeguard audit verify
  safeguard audit head >> somewhere-else/heads.jsonl
  safeguard audit verify --public-key somewhere-else/public_key --anchor somewhere-else/heads.jsonl
  safeguard audit erase --content-id comment-17

Where an audit log is, every verdict that is recorded (--record) is written there first.
)";

CLI::App* AddVerb(CLI::App* audit, AuditArguments& arguments, const std::string& name,
                  const std::string& help, AuditVerb verb) {
  CLI::App* command = audit->add_subcommand(name, help);
  command->callback([&arguments, verb] { arguments.verb = verb; });
  AddDataFolder(command, arguments.data_dir);
  return command;
}

}  // namespace

void CommandTree::AddGuard() {
  CLI::App* command = app_->add_subcommand("guard", "Pass a model's stream as far as it is judged");
  command
      ->add_option("-p,--policy", guard_.policies,
                   "A policy: a name in the store or of a shipped one, a version, or a file; "
                   "repeat it for more (default: all shipped)")
      ->type_name("POLICY")
      ->expected(1)
      ->take_all();
  command
      ->add_option("--golden", guard_.golden, "Labelled cases to learn from, for a single policy")
      ->type_name("FILE");
  AddFile(command, "-f,--file", guard_.file,
          "Read the stream from a file (default: standard input)");
  Choices(command->add_option("--format", guard_.format, "What the stream is"),
          "openai-chat|openai-responses|anthropic|plain");
  command
      ->add_option("--tokens", guard_.tokens,
                   "At most N bytes of text are visible before they are judged (no token is "
                   "shorter; default: 0)")
      ->type_name("N");
  command
      ->add_option("--violation-at", guard_.violation_at,
                   "The score from which a window is a violation (default: as the judge says)")
      ->type_name("P")
      ->check(NumberFrom(0, 1));
  Choices(command->add_option("--on-error", guard_.on_error,
                              "Of text that cannot be judged: end the stream, or let it pass"),
          "closed|open");
  Choices(command->add_option("--reasoning", guard_.reasoning,
                              "Of the model's chain of thought: judge it, or take it out"),
          "scan|drop");
  command->add_flag("--no-whole-pass", guard_.no_whole_pass,
                    "Do not judge all text once more before the answer ends");
  command
      ->add_option("--chunk", guard_.chunk, "Feed the stream N bytes at a time (default: at once)")
      ->type_name("N");
  AddCalibration(command, guard_.calibration);
  AddDataFolder(command, guard_.data_dir);
  AddJson(command, guard_.json, "One JSON object: what was released, the ledger, the events");
  AddJudge(command, guard_.judge);
  command->footer(kGuardExamples);
}

void CommandTree::AddAudit() {
  CLI::App* audit = app_->add_subcommand("audit", "The tamper-evident log of verdicts");
  audit->require_subcommand(1);
  audit->footer(kAuditExamples);
  AddVerb(audit, audit_, "init", "Begin an audit log in the data folder", AuditVerb::kInit);
  CLI::App* verify =
      AddVerb(audit, audit_, "verify", "Find what was changed, removed, moved or cut off",
              AuditVerb::kVerify);
  verify
      ->add_option("--public-key", audit_.public_key,
                   "A key that is trusted: its digits, or a file with them (default: the log's own "
                   "word)")
      ->type_name("KEY");
  verify
      ->add_option("--anchor", audit_.anchors,
                   "A file with heads that were kept elsewhere, one a line; repeat it for more")
      ->type_name("FILE")
      ->expected(1)
      ->take_all();
  AddJson(verify, audit_.json, "One JSON object");
  AddVerb(audit, audit_, "head", "Print the signed head, to be kept elsewhere", AuditVerb::kHead);
  AddVerb(audit, audit_, "rotate", "Sign with a new key from here on", AuditVerb::kRotate);
  CLI::App* erase =
      AddVerb(audit, audit_, "erase", "Remove what commitments stand for", AuditVerb::kErase);
  erase->add_option("--content-id", audit_.content_id, "Of contents with this id")->type_name("ID");
  erase->add_option("--content-hash", audit_.content_hash, "Of contents with this hash")
      ->type_name("HASH");
}

}  // namespace safeguard::apps
