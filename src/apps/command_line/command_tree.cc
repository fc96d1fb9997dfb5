#include "apps/command_line/command_tree.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "apps/command_line/examples.h"
#include "apps/command_line/options.h"
#include "apps/input/policy_catalog.h"
#include "apps/output/display_text.h"
#include "apps/version_info.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kHelpColumn = 32;
constexpr std::size_t kHelpWidth = 100;

void CollectNames(const CLI::App& app, std::vector<std::string>& names) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
}

// Help of at most kHelpWidth columns, with what stands beside an option broken into lines.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(kHelpColumn); }

  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    std::string name = "  " + make_option_name(option, is_positional);
    const std::size_t comma = name.find(',');
    if (comma != std::string::npos) {
      name.insert(comma + 1, " ");
    }
    name += make_option_opts(option);
    const std::string help = Wrap(make_option_desc(option), kHelpWidth, kHelpColumn);
    if (name.size() + 2 > kHelpColumn) {
      return name + "\n" + help;
    }
    return name + help.substr(std::min(help.size(), name.size()));
  }
};

// The command that the words so far have led to.
const CLI::App* Deepest(const CLI::App& app) {
  const CLI::App* deepest = &app;
  while (!deepest->get_subcommands().empty()) {
    deepest = deepest->get_subcommands().back();
  }
  return deepest;
}

// The whole way to a command without its last word: "safeguard model".
std::string WayTo(const CLI::App& app, const CLI::App* command) {
  std::string before = "safeguard";
  for (const CLI::App* step = &app; step != command; step = step->get_subcommands().back()) {
    if (step != &app) {
      before += " " + step->get_name();
    }
  }
  return before;
}

// Help whose usage line names the whole way: "safeguard model pull".
std::string HelpOf(const CLI::App& app) {
  const CLI::App* command = Deepest(app);
  return command == &app ? app.help() : command->help(WayTo(app, command));
}

// Where the way on is told.
std::string SeeHelp(const CLI::App& app) {
  const CLI::App* command = Deepest(app);
  return "see " + WayTo(app, command) + (command == &app ? "" : " " + command->get_name()) +
         " --help";
}

Error UnexpectedArgument(const CLI::App& app) {
  const CLI::App* command = Deepest(app);
  const std::vector<std::string> extras = app.remaining(true);
  const auto is_option = [](const std::string& word) { return word.size() > 1 && word[0] == '-'; };
  std::vector<std::string> commands;
  for (const CLI::App* sub : command->get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(sub->get_name());
  }
  const std::string word = extras.empty() ? std::string() : extras.front();
  const auto wrong = [&](const std::string& what, const std::string& nearest) {
    return Error{ErrorCode::kInvalidInput, what,
                 nearest.empty() ? SeeHelp(app) : "did you mean " + nearest + "?"};
  };
  // Options behind a command that there is not are its own.
  if (!commands.empty() && !is_option(word)) {
    return wrong("unknown command " + word, Nearest(word, commands));
  }
  const auto option = std::ranges::find_if(extras, is_option);
  if (option != extras.end()) {
    std::vector<std::string> names;
    CollectNames(*command, names);
    return wrong("unknown option " + *option, Nearest(option->substr(0, option->find('=')), names));
  }
  return {ErrorCode::kInvalidInput, "unexpected argument " + word,
          "put a text of several words in quotes; " + SeeHelp(app)};
}

Error ParseProblem(const CLI::App& app, const CLI::ParseError& problem) {
  if (dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr) {
    return UnexpectedArgument(app);
  }
  const CLI::App* command = Deepest(app);
  const bool no_command = dynamic_cast<const CLI::RequiredError*>(&problem) != nullptr &&
                          !command->get_subcommands([](const CLI::App*) { return true; }).empty();
  if (no_command) {
    const std::vector<std::string> extras = app.remaining(true);
    if (!extras.empty()) {
      return UnexpectedArgument(app);
    }
    return {ErrorCode::kInvalidInput, "which command?", SeeHelp(app)};
  }
  return {ErrorCode::kInvalidInput, problem.what(), SeeHelp(app)};
}

}  // namespace

std::size_t DefaultThreads() {
  const std::size_t cores = std::thread::hardware_concurrency();
  return std::clamp<std::size_t>(cores, 1, kThreadsMax);
}

CommandTree::CommandTree()
    : app_(std::make_unique<CLI::App>(
          "Judge content under written policies: with the screen, the fast layer, or with\n"
          "--judge reasoner by gpt-oss-safeguard. What the screen is unsure of belongs before it\n"
          "or a person.",
          "safeguard")) {
  app_->set_help_flag("-h,--help", "Print this help");
  app_->set_version_flag("--version", std::string("safeguard ") + VersionText());
  app_->formatter(std::make_shared<HelpFormatter>());
  app_->require_subcommand(1);
  AddClassify();
  AddBatch();
  AddEval();
  AddPolicy();
  AddVerdicts();
  AddReplay();
  AddJobs();
  AddReview();
  AddBacktest();
  AddLists();
  AddGuard();
  AddAudit();
  AddModelGroup();
  AddBench();
  AddScreen();
  AddServe();
  AddKey();
  AddDoctor();
  AddVersion();
  // Last: what is added inherits it, and these examples are not of any one group.
  app_->footer(std::string(kTopExamples) + "\n" + ExitCodeHelp());
}

CommandTree::~CommandTree() = default;

void CommandTree::AddClassify() {
  CLI::App* command = app_->add_subcommand("classify", "Judge one content");
  command->add_option("text", classify_.content.text, "The content; - or nothing: standard input")
      ->type_name("TEXT");
  AddFile(command, "-f,--file", classify_.content.file, "Read the content from a file");
  AddFile(command, "--conversation", classify_.content.conversation,
          "Judge a conversation: JSON, a list of {role, content} or {\"messages\": [...]}");
  AddPolicies(command, classify_.policies, classify_.golden);
  AddRoute(command, classify_.route);
  AddCalibration(command, classify_.calibration);
  AddDataFolder(command, classify_.data_dir);
  AddRecord(command, classify_.record);
  command
      ->add_option("--account", classify_.account,
                   "Who wrote it: a canary's percentage follows the account (default: the content)")
      ->type_name("ID");
  const auto set_role = [this](const std::string& role) {
    classify_.content.role =
        role == "assistant" ? moderation::Role::kAssistant : moderation::Role::kUser;
  };
  Choices(command->add_option_function<std::string>("--role", set_role, "Who wrote it"),
          "user|assistant");
  command
      ->add_option("--surface", classify_.content.surface, "Where it stands: comment, dm, bio, ...")
      ->type_name("NAME");
  command->add_option("--language", classify_.content.language, "Its language, as in en or pt-BR")
      ->type_name("TAG");
  AddJson(command, classify_.json, "One JSON object a line, one line a policy");
  command->add_flag("--show-reasoning", classify_.show_reasoning,
                    "Print the model's chain of thought too (with --json it is always there)");
  command->add_flag("--ablation", classify_.ablation,
                    "Ask again without each rule that is cited, and say whether it mattered");
  AddJudge(command, classify_.judge);
  ExcludeJudge(command);
  AddColor(command, classify_.color);
  command->footer(std::string(kClassifyExamples) + "\n" + ExitCodeHelp());
}

void CommandTree::AddBatch() {
  CLI::App* command =
      app_->add_subcommand("batch", "Judge a file of contents; goes on where it stopped");
  AddFile(command, "-i,--in", batch_.in,
          "JSONL, CSV, or plain text with one content a line; -: standard input")
      ->required();
  AddFile(command, "-o,--out", batch_.out,
          "JSONL, one line a content and policy; -: standard output")
      ->required();
  AddPolicies(command, batch_.policies, batch_.golden);
  AddRoute(command, batch_.route);
  AddCalibration(command, batch_.calibration);
  AddDataFolder(command, batch_.data_dir);
  AddRecord(command, batch_.record);
  Choices(command->add_option("--format", batch_.format, "What --in is"), "auto|jsonl|csv|txt");
  command->add_option("--text-field", batch_.text_field, "The field or column with the content")
      ->type_name("NAME");
  command->add_option("--id-field", batch_.id_field, "The field or column with the id")
      ->type_name("NAME");
  command->add_option("--surface", batch_.surface, "For records that name none")->type_name("NAME");
  command->add_option("--language", batch_.language, "For records that name none")
      ->type_name("TAG");
  command->add_option("--batch-size", batch_.batch_size, "Contents judged at once (default: 64)")
      ->type_name("N")
      ->check(NumberFrom(1, static_cast<double>(kBatchSizeMax)));
  command->add_flag("--restart", batch_.restart, "Begin again: overwrite --out");
  command->add_flag("--stats", batch_.stats,
                    "Print what the judge counted: steps, prefixes, drafts, waiting times");
  AddJudge(command, batch_.judge);
  ExcludeJudge(command);
  command->footer(std::string(kBatchExamples) + "\n" + ExitCodeHelp());
}

void CommandTree::AddPolicy() {
  CLI::App* policy =
      app_->add_subcommand("policy", "Read, check, calibrate, version and promote policies");
  policy->require_subcommand(1);

  CLI::App* show = policy->add_subcommand("show", "Print what was understood of a policy");
  show->add_option("policy", show_.policies,
                   "Versions in the store (spam@3), shipped policies, or files")
      ->type_name("POLICY")
      ->required();
  show->add_flag("--screen-text", show_.screen_text,
                 "Print the text by which the trained screen knows the policy (with --json: one "
                 "object a line, with the texts of its rules)");
  AddDataFolder(show, show_.data_dir);
  AddModel(show, show_.model);
  AddJson(show, show_.json, "As one JSON object a policy");
  AddColor(show, show_.color);
  show->footer(kShowExamples);

  CLI::App* lint = policy->add_subcommand("lint", "Find what weakens a policy, and how to mend it");
  lint->add_option("policy", lint_.policies,
                   "Versions in the store (spam@3), shipped policies, or files")
      ->type_name("POLICY")
      ->required();
  AddDataFolder(lint, lint_.data_dir);
  AddJson(lint, lint_.json, "One JSON object a line, one line a finding");
  AddModel(lint, lint_.model);
  AddColor(lint, lint_.color);
  lint->footer(std::string(kLintExamples) + "\n" + ExitCodeHelp());

  AddPolicyWarm(*policy);

  CLI::App* list =
      policy->add_subcommand("list", "List policies, in the store and shipped, or versions of one");
  list->add_option("policy", list_.policy, "List the versions of this policy in the store")
      ->type_name("POLICY");
  AddDataFolder(list, list_.data_dir);
  AddJson(list, list_.json, "One JSON object a line");
  list->add_flag("--names", list_.names, "Names only, one a line");
  AddColor(list, list_.color);
  AddCalibrate(policy);
  list->footer(kListExamples);
  AddStoreCommands(policy);
  AddPolicyTest(policy);
  AddPolicyDiff(policy);
}

void CommandTree::AddPolicyWarm(CLI::App& policy) {
  CLI::App* warm = policy.add_subcommand("warm", "Let the reasoner read policies ahead of time");
  warm->add_option("policy", warm_.policies, "Names of shipped policies, or files")
      ->type_name("POLICY")
      ->required();
  warm->add_option("--model", warm_.judge.model,
                   "The checkpoint: a Hugging Face folder or a .gguf file")
      ->type_name("PATH")
      ->required();
  warm->add_flag("--together", warm_.judge.joint, "All in one prompt, as --joint asks about them");
  AddPrompt(warm, warm_.judge);
  AddThreads(warm, warm_.judge.threads);
  AddJson(warm, warm_.json, "One JSON object a line");
  AddColor(warm, warm_.color);
  warm->footer(kWarmExamples);
}

void CommandTree::AddVersion() {
  CLI::App* version = app_->add_subcommand("version", "Print version, build, kernels and model");
  AddJson(version, version_.json, "As one JSON object");
  AddModel(version, version_.model);

  CLI::App* completion = app_->add_subcommand("completion", "Print a shell's completion script");
  Choices(completion->add_option("shell", completion_.shell, "The shell")->required(),
          "bash|zsh|fish");
  completion->footer(kCompletionExamples);
}

Invocation CommandTree::Parse(const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app_->parse(reversed);
  } catch (const CLI::CallForVersion& version) {
    return ParseEnd{ExitCode::kSafe, std::string(version.what()) + "\n", {}};
  } catch (const CLI::CallForHelp&) {
    return ParseEnd{ExitCode::kSafe, HelpOf(*app_), {}};
  } catch (const CLI::ParseError& problem) {
    return ParseEnd{ExitCode::kUsage, "", ParseProblem(*app_, problem)};
  }
  if (app_->got_subcommand("serve")) {
    return FinishServe(arguments);
  }
  return Selected();
}

// `policy ...` and what the store records.
std::optional<Invocation> CommandTree::SelectedOfPolicy(const std::string& name) const {
  if (name == "show") {
    return show_;
  }
  if (name == "lint") {
    return lint_;
  }
  if (name == "list") {
    return list_;
  }
  if (name == "warm") {
    return warm_;
  }
  if (name == "calibrate") {
    return calibrate_;
  }
  return std::nullopt;
}

std::optional<Invocation> CommandTree::SelectedOfEval(const std::string& name) const {
  if (name == "eval") {
    return eval_route_.empty() ? Invocation(eval_)
                               : Invocation(EvalRouteArguments{eval_, eval_route_});
  }
  if (name == "rescore") {
    return rescore_;
  }
  if (name == "compare") {
    return compare_;
  }
  if (name == "cascade") {
    return cascade_;
  }
  return std::nullopt;
}

std::optional<Invocation> CommandTree::SelectedOfGroup(const CLI::App& command) {
  const std::string name = command.get_name();
  const std::string group = command.get_parent()->get_name();
  if (group == "lists") {
    return SelectedOfLists(command);
  }
  if (group == "jobs") {
    return SelectedOfJobs(name);
  }
  if (group == "review") {
    return SelectedOfReview(name);
  }
  if (group == "screen") {
    return SelectedOfScreen(name);
  }
  if (group == "backtest") {
    return name == "status" ? Invocation(backtest_status_) : Invocation(backtest_stop_);
  }
  if (group == "audit") {
    return audit_;
  }
  return std::nullopt;
}

std::optional<Invocation> CommandTree::SelectedOfModel(const std::string& name) const {
  if (name == "info") {
    return model_info_;
  }
  if (name == "verify") {
    return model_verify_;
  }
  if (name == "pack") {
    return model_pack_;
  }
  if (name == "synth") {
    return model_synth_;
  }
  if (name == "tokens") {
    return model_tokens_;
  }
  if (name == "pull") {
    return pull_;
  }
  if (name == "logits") {
    return model_logits_;
  }
  if (name == "generate") {
    return model_generate_;
  }
  return std::nullopt;
}

Invocation CommandTree::Selected() {
  const CLI::App* command = Deepest(*app_);
  const std::string name = command->get_name();
  if (std::optional<Invocation> of_group = SelectedOfGroup(*command)) {
    return std::move(*of_group);
  }
  if (name == "guard") {
    return guard_;
  }
  if (std::optional<Invocation> of_receipts = SelectedOfReceipts(name)) {
    return std::move(*of_receipts);
  }
  if (std::optional<Invocation> of_service = SelectedOfService(*command)) {
    return std::move(*of_service);
  }
  if (name == "classify") {
    classify_.content.has_text = command->count("text") > 0;
    return classify_;
  }
  if (name == "batch") {
    return batch_;
  }
  if (std::optional<Invocation> of_eval = SelectedOfEval(name)) {
    return std::move(*of_eval);
  }
  if (std::optional<Invocation> of_policy = SelectedOfPolicy(name)) {
    return std::move(*of_policy);
  }
  if (std::optional<Invocation> of_store = SelectedOfStore(name)) {
    return std::move(*of_store);
  }
  if (name == "test") {
    return test_;
  }
  if (name == "backtest") {
    return backtest_;
  }
  if (name == "diff") {
    return diff_;
  }
  if (std::optional<Invocation> of_model = SelectedOfModel(name)) {
    return std::move(*of_model);
  }
  if (name == "bench") {
    return bench_;
  }
  if (name == "completion") {
    return completion_;
  }
  return version_;
}

}  // namespace safeguard::apps
