#include "apps/command_line/options.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "apps/command_line/arguments.h"

namespace safeguard::apps {
namespace {

CLI::Validator OneOf(std::vector<std::string> choices) {
  return CLI::Validator(
      [choices = std::move(choices)](std::string& value) -> std::string {
        if (std::ranges::find(choices, value) != choices.end()) {
          return {};
        }
        std::string all;
        for (const std::string& choice : choices) {
          all += (all.empty() ? "" : ", ") + choice;
        }
        return value + " is not one of " + all;
      },
      "");
}

}  // namespace

void Choices(CLI::Option* option, const std::string& choices) {
  option->type_name(choices)->check(OneOf(CLI::detail::split(choices, '|')));
}

CLI::Validator NumberFrom(double least, double most) {
  return CLI::Validator(
      [least, most](std::string& value) -> std::string {
        double number = 0;
        if (CLI::detail::lexical_cast(value, number) && number >= least && number <= most) {
          return {};
        }
        return value + " is not a number from " + CLI::detail::to_string(least) + " to " +
               CLI::detail::to_string(most);
      },
      "");
}

void AddColor(CLI::App* command, ColorMode& mode) {
  const auto set = [&mode](const std::string& value) {
    mode = value == "always"  ? ColorMode::kAlways
           : value == "never" ? ColorMode::kNever
                              : ColorMode::kAuto;
  };
  Choices(command->add_option_function<std::string>("--color", set, "When to use colours"),
          "auto|always|never");
}

void AddPolicies(CLI::App* command, std::vector<std::string>& policies, std::string& golden) {
  command
      ->add_option("-p,--policy", policies,
                   "A policy: a name in the store or of a shipped one, a version (spam@3, "
                   "spam@canary), or a file; repeat it for more (default: all shipped)")
      ->type_name("POLICY")
      ->expected(1)
      ->allow_extra_args(false)  // a text that follows is the content
      ->take_all();
  command
      ->add_option("--golden", golden,
                   "Labelled cases to learn from, for a single policy (default: golden.jsonl "
                   "beside policy.md, or NAME.golden.jsonl)")
      ->type_name("FILE");
}

void AddModel(CLI::App* command, std::string& model) {
  command
      ->add_option("--model", model,
                   "Folder with the models (default: $SAFEGUARD_MODELS, else `models` beside the "
                   "program)")
      ->type_name("DIR");
}

void AddJudge(CLI::App* command, JudgeChoice& choice) {
  Choices(
      command->add_option("--judge", choice.judge,
                          "Who judges: the fast screen (default), a classifier that `screen train` "
                          "installed for the policy, gpt-oss-safeguard, or answers from a file"),
      "screen|dedicated|reasoner|recorded");
  command
      ->add_option("--model", choice.model,
                   "For the screen the folder with the models (default: $SAFEGUARD_MODELS, else "
                   "`models` beside the program); dedicated: the data folder with the "
                   "classifiers (default: --data-dir); for the reasoner a checkpoint: a Hugging "
                   "Face folder or a .gguf file")
      ->type_name("PATH");
  Choices(command->add_option("--screen", choice.screen,
                              "Which screen: the trained one, or the one that compares embeddings "
                              "(default: trained where it is installed)"),
          "auto|trained|embedding");
  AddFile(command, "--recorded", choice.recorded, "With --judge recorded: the answers, JSONL");
  const std::vector<CLI::Option*> before = command->get_options({});
  CLI::App* reasoner = command;
  AddPrompt(command, choice);
  reasoner->add_flag("--instant", choice.instant,
                     "No reasoning: read the score at the verdict, fastest");
  reasoner->add_flag("--joint", choice.joint, "Ask about all policies in one prompt");
  reasoner
      ->add_option("--reasoning-tokens", choice.reasoning_tokens,
                   "Then the answer is asked for (default: 2048)")
      ->type_name("N")
      ->check(NumberFrom(0, 100'000));
  reasoner->add_option("--answer-tokens", choice.answer_tokens, "The longest answer (default: 512)")
      ->type_name("N")
      ->check(NumberFrom(1, 100'000));
  reasoner
      ->add_option("--time-limit", choice.time_limit_s,
                   "Of one verdict; undetermined after that (default: none)")
      ->type_name("SECONDS")
      ->check(NumberFrom(0, 86'400));
  Choices(reasoner->add_option("--drafts", choice.drafts,
                               "Guess ahead from the text itself: answers are the same, only the "
                               "time differs (default: auto)"),
          "off|auto|always");
  AddPrecision(reasoner, choice.precision);
  AddPackedFile(reasoner, choice.packed_file);
  reasoner->add_option("--temperature", choice.temperature, "0 is greedy (default: 0)")
      ->type_name("T")
      ->check(NumberFrom(0, 100));
  reasoner->add_option("--seed", choice.seed, "Of the sampling (default: 0)")->type_name("N");
  for (CLI::Option* option : command->get_options({})) {
    if (std::ranges::find(before, option) == before.end()) {
      option->group("With --judge reasoner");
    }
  }
  AddThreads(command, choice.threads);
}

void AddRoute(CLI::App* command, std::string& route) {
  CLI::Option* option =
      AddFile(command, "--route", route,
              "A route: its policies, screen, reasoners, lists and budget, in YAML "
              "(docs/cascade.md)");
  option->excludes(command->get_option("--policy"));
  option->excludes(command->get_option("--golden"));
}

void ExcludeJudge(CLI::App* command) {
  for (const char* name : {"--judge", "--model", "--recorded"}) {
    command->get_option("--route")->excludes(command->get_option(name));
  }
}

void AddPrompt(CLI::App* command, JudgeChoice& choice) {
  Choices(command->add_option("--effort", choice.effort, "How long to reason (default: low)"),
          "low|medium|high");
  Choices(command->add_option("--answer", choice.answer,
                              "The form of the answer (default: as the policy asks)"),
          "policy|label|json|rationale");
  Choices(command->add_option("--placement", choice.placement,
                              "Where the policy stands in the prompt (default: developer)"),
          "developer|system|hf-template");
  command->add_option("--date", choice.date, "Put this date into the prompt (default: none)")
      ->type_name("YYYY-MM-DD");
}

void AddCalibration(CLI::App* command, CalibrationChoice& choice) {
  CLI::Option* files =
      command
          ->add_option("--calibration", choice.files,
                       "A calibration of one of the policies; repeat it for more (default: what "
                       "`policy calibrate` has left beside the policy's file)")
          ->type_name("FILE")
          ->expected(1)
          ->allow_extra_args(false)  // a text that follows is the content
          ->take_all();
  command->add_flag("--no-calibration", choice.none, "Scores as the judge gives them")
      ->excludes(files);
}

void AddDataFolder(CLI::App* command, std::string& folder) {
  command
      ->add_option("--data-dir", folder,
                   "Folder with the store of policies and verdicts (default: $SAFEGUARD_DATA, else "
                   "~/.local/share/safeguard where a store is needed)")
      ->type_name("DIR");
}

void AddRecord(CLI::App* command, RecordChoice& choice) {
  command->add_flag("--record", choice.record,
                    "Append the verdicts to the verdict log, those of shadow versions too");
  command->add_flag("--record-content", choice.keep_content,
                    "Keep the text itself there (default: its hash alone)");
}

void AddPrecision(CLI::App* command, std::string& precision, const std::string& otherwise) {
  Choices(command->add_option(
              "--precision", precision,
              "How exactly to compute: f32 in binary32; int16 some 3e-5 off, twice as fast; "
              "int8 some 1e-2 off, faster still; bf16 some 1e-2 off, for processors with AMX. "
              "default: $SAFEGUARD_PRECISION, else " +
                  otherwise),
          "default|f32|int16|int8|bf16");
}

void AddPackedFile(CLI::App* command, bool& packed_file) {
  command->add_flag_callback(
      "--no-packed-file", [&packed_file] { packed_file = false; },
      "Pack the reasoner's weights anew instead of keeping them beside the model (safeguard model "
      "pack)");
}

void AddThreads(CLI::App* command, std::size_t& threads) {
  command->add_option("--threads", threads, "Threads (default: all cores)")
      ->type_name("N")
      ->check(NumberFrom(1, static_cast<double>(kThreadsMax)));
}

CLI::Option* AddFile(CLI::App* command, const std::string& name, std::string& file,
                     const std::string& help) {
  return command->add_option(name, file, help)->type_name("FILE");
}

void AddJson(CLI::App* command, bool& json, const std::string& help) {
  command->add_flag("--json", json, help);
}

}  // namespace safeguard::apps
