// The `model` commands. To add one: its arguments (arguments.h), a member and a call here, a line in
// CommandTree::Selected and one in run.cc, and its Run function in commands/.
#include "apps/command_line/command_tree.h"
#include "apps/command_line/examples.h"
#include "apps/command_line/options.h"

namespace safeguard::apps {
namespace {

void AddPath(CLI::App* command, std::string& path) {
  command
      ->add_option("path", path, "A model: a folder with config.json and .safetensors, or a .gguf")
      ->type_name("FILE")
      ->required();
}

void AddInfo(CLI::App* group, ModelInfoArguments& arguments) {
  CLI::App* command =
      group->add_subcommand("info", "Print a model's shape, its tensors and their sizes");
  AddPath(command, arguments.path);
  command->add_flag("--tensors", arguments.tensors, "List every tensor");
  command->add_flag("--hash", arguments.hashes, "Also the SHA-256 of each file; reads all of it");
  AddJson(command, arguments.json, "As one JSON object, with every tensor");
  AddThreads(command, arguments.threads);
  AddColor(command, arguments.color);
  command->footer(kModelInfoExamples);
}

void AddVerify(CLI::App* group, ModelVerifyArguments& arguments) {
  CLI::App* command = group->add_subcommand(
      "verify", "Check a model's every tensor, and its files against known hashes");
  AddPath(command, arguments.path);
  AddFile(command, "--sha256", arguments.sha256,
          "Compare with this list, as sha256sum writes it (default: the published hashes, where "
          "they are known)");
  AddJson(command, arguments.json, "As one JSON object");
  AddThreads(command, arguments.threads);
  AddColor(command, arguments.color);
  command->footer(kModelVerifyExamples);
}

void AddSynth(CLI::App* group, ModelSynthArguments& arguments) {
  CLI::App* command =
      group->add_subcommand("synth", "Write a model with random weights of true shapes");
  command
      ->add_option("out", arguments.out, "The folder to write; with --format gguf the file")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--shape", arguments.shape,
                   "20b, 120b, tiny, or the config.json of another shape")
      ->type_name("SHAPE")
      ->required();
  command->add_option("--seed", arguments.seed, "Which random numbers (default: 1)")
      ->type_name("N");
  Choices(command->add_option("--format", arguments.format, "What to write"),
          "safetensors|original|gguf");
  Choices(command->add_option("--dense", arguments.dense,
                              "The type of a GGUF's matrices other than the experts"),
          "q8_0|bf16|f16");
  command->add_flag("--overwrite", arguments.overwrite, "Replace what is there");
  AddJson(command, arguments.json, "What was written, as one JSON object");
  AddThreads(command, arguments.threads);
  AddModel(command, arguments.model);
  command->footer(kModelSynthExamples);
}

}  // namespace

void CommandTree::AddModelGroup() {
  CLI::App* group = app_->add_subcommand("model", "Look at, check and make gpt-oss models");
  group->require_subcommand(1);
  AddInfo(group, model_info_);
  AddVerify(group, model_verify_);
  AddSynth(group, model_synth_);
}

}  // namespace safeguard::apps
