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

void AddModel(CLI::App* command, std::string& model) {
  command
      ->add_option("--model", model,
                   "Folder with the models (default: $SAFEGUARD_MODELS, else `models` beside the "
                   "program)")
      ->type_name("DIR");
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
