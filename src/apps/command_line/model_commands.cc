// The `model` commands. To add one: its arguments (arguments.h), a member and a call here, a line
// in CommandTree::Selected and one in run.cc, and its Run function in commands/.
#include "apps/command_line/command_tree.h"
#include "apps/command_line/examples.h"
#include "apps/command_line/options.h"
#include "apps/pull/pull_settings.h"

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

void AddPack(CLI::App* group, ModelPackArguments& arguments) {
  CLI::App* command = group->add_subcommand(
      "pack", "Keep a model's weights in the engine's own order, for a faster start");
  AddPath(command, arguments.path);
  Choices(
      command->add_option("--precision", arguments.precision,
                          "For which arithmetic (default: $SAFEGUARD_PRECISION, else bf16 with AMX "
                          "and int16 without)"),
      "default|int16|int8|bf16");
  AddJson(command, arguments.json, "As one JSON object");
  AddThreads(command, arguments.threads);
  command->footer(kModelPackExamples);
}

void AddSynth(CLI::App* group, ModelSynthArguments& arguments) {
  CLI::App* command =
      group->add_subcommand("synth", "Write a model with random weights of true shapes");
  command->add_option("out", arguments.out, "The folder to write; with --format gguf the file")
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

void AddTokens(CLI::App* group, ModelTokensArguments& arguments) {
  CLI::App* command = group->add_subcommand("tokens", "Encode texts: JSONL in, JSONL out");
  command
      ->add_option("path", arguments.path,
                   "A model, or a tokenizer.json (default: the built-in o200k_harmony)")
      ->type_name("FILE");
  AddModel(command, arguments.model);
  command->footer(kModelTokensExamples);
}

void AddPull(CLI::App* group, ModelPullArguments& arguments) {
  CLI::App* command =
      group->add_subcommand("pull", "Fetch a model from a Hugging Face-compatible server");
  command
      ->add_option("name", arguments.name,
                   "safeguard-20b, safeguard-120b, gpt-oss-20b, gpt-oss-120b, "
                   "OWNER/NAME[@REVISION], or the URL of a repository or a file")
      ->type_name("NAME")
      ->required();
  command
      ->add_option("--to", arguments.to, "Folder to put the files in (default: the model's name)")
      ->type_name("DIR");
  command->add_option("--revision", arguments.revision, "Branch, tag or commit (default: main)")
      ->type_name("REVISION");
  command
      ->add_option("--include", arguments.include,
                   "Pull the files that match, instead of those that the engine needs; repeat it "
                   "for more")
      ->type_name("GLOB")
      ->expected(1)
      ->take_all();
  command->add_option("--connections", arguments.connections, "Transfers at once (default: 4)")
      ->type_name("N")
      ->check(NumberFrom(1, static_cast<double>(pull::kConnectionsMax)));
  command->add_flag("--verify", arguments.verify, "Check the hashes also of files that are there");
  AddJson(command, arguments.json, "One JSON object at the end");
  command->footer(std::string(kPullExamples) + "\n" + ExitCodeHelp());
}

void AddIds(CLI::App* command, std::string& ids) {
  command->add_option("--ids", ids, "Token ids: 1,2,3, or @FILE for a file that lists them")
      ->type_name("IDS")
      ->required();
}

void AddLogits(CLI::App* group, ModelLogitsArguments& arguments) {
  CLI::App* command =
      group->add_subcommand("logits", "Compute a model's logits behind given tokens");
  AddPath(command, arguments.path);
  AddIds(command, arguments.ids);
  command->add_option("--last", arguments.last, "For how many of the last positions (default: 1)")
      ->type_name("N")
      ->check(NumberFrom(1, 1 << 30));
  AddPrecision(command, arguments.precision, "int16");
  AddPackedFile(command, arguments.packed_file);
  AddFile(command, "--out", arguments.out,
          "Also write them to this .safetensors file, as the tensor logits");
  AddThreads(command, arguments.threads);
  AddColor(command, arguments.color);
  command->footer(kModelLogitsExamples);
}

void AddGenerate(CLI::App* group, ModelGenerateArguments& arguments) {
  CLI::App* command =
      group->add_subcommand("generate", "Continue given tokens, one token after another");
  AddPath(command, arguments.path);
  AddIds(command, arguments.ids);
  command->add_flag("--greedy", arguments.greedy, "Take the likeliest token each time");
  command->add_option("--max-tokens", arguments.max_tokens, "Stop after this many (default: 64)")
      ->type_name("N")
      ->check(NumberFrom(1, 1 << 30));
  AddPrecision(command, arguments.precision, "int16");
  AddPackedFile(command, arguments.packed_file);
  AddJson(command, arguments.json, "Ids, their log-probabilities and timings as one JSON object");
  AddThreads(command, arguments.threads);
  command->footer(kModelGenerateExamples);
}

void AddCount(CLI::App* command, const std::string& name, std::size_t& value, double most,
              const std::string& help) {
  command->add_option(name, value, help)->type_name("N")->check(NumberFrom(1, most));
}

void AddCounts(CLI::App* command, const std::string& name, std::vector<std::size_t>& values,
               double most, const std::string& help) {
  command->add_option(name, values, help)
      ->type_name("N,N")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(NumberFrom(1, most));
}

}  // namespace

void CommandTree::AddBench() {
  CLI::App* command = app_->add_subcommand(
      "bench", "Time the reasoner on this machine, beside what the machine allows");
  AddPath(command, bench_.path);
  command
      ->add_option("--work", bench_.work,
                   "What to time: prefill, decode, items, instant (default: all)")
      ->type_name("WORK,WORK")
      ->delimiter(',')
      ->allow_extra_args(false);
  AddCounts(command, "--prefill", bench_.prefill_tokens, 131'000,
            "Lengths of prompts (default: 512,2048)");
  AddCounts(command, "--batch", bench_.batch, 1024,
            "Sequences that decode at once (default: 1,8,32,64)");
  AddCount(command, "--in-flight", bench_.in_flight, 1024,
           "Contents at once, for items and instant (default: 64)");
  AddCount(command, "--policy-tokens", bench_.policy_tokens, 100'000,
           "Tokens of the policy that they share (default: 1500)");
  AddCount(command, "--content-tokens", bench_.content_tokens, 10'000,
           "Tokens of each content (default: 100)");
  AddCount(command, "--answer-tokens", bench_.answer_tokens, 10'000,
           "Tokens of each answer (default: 150)");
  AddCount(command, "--runs", bench_.runs, 100, "How often; medians are told (default: 3)");
  AddPrecision(command, bench_.precision);
  AddPackedFile(command, bench_.packed_file);
  AddThreads(command, bench_.threads);
  AddJson(command, bench_.json, "Everything as one JSON object, for bench/compare_runs.py");
  command->footer(kBenchExamples);
}

void CommandTree::AddModelGroup() {
  CLI::App* group = app_->add_subcommand("model", "Look at, check, make and run gpt-oss models");
  group->require_subcommand(1);
  AddPull(group, pull_);
  AddInfo(group, model_info_);
  AddVerify(group, model_verify_);
  AddPack(group, model_pack_);
  AddSynth(group, model_synth_);
  AddTokens(group, model_tokens_);
  AddLogits(group, model_logits_);
  AddGenerate(group, model_generate_);
}

}  // namespace safeguard::apps
