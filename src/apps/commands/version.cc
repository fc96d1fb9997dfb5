#include <fmt/format.h>

#include "apps/commands/commands.h"
#include "apps/input/packed_files.h"
#include "apps/output/verdict_json.h"
#include "apps/version_info.h"

namespace safeguard::apps {

// A missing model does not fail: the version of a program without its models is still a version.
ExitCode RunVersion(const VersionArguments& arguments, Services& services, Console& console) {
  const Result<ModelFile> model = services.FindModel(arguments.model);
  if (arguments.json) {
    nlohmann::ordered_json object = {{"version", VersionText()},
                                     {"git", nullptr},
                                     {"compiler", CompilerText()},
                                     {"build", BuildType()},
                                     {"kernels", services.ScreenKernels()},
                                     {"reasoner_kernels", services.ReasonerKernels()},
                                     {"packed_weights", PackedFilesText()},
                                     {"model", nullptr},
                                     {"model_hash", nullptr},
                                     {"trained_screen", nullptr},
                                     {"trained_screen_hash", nullptr}};
    if (*GitDescribe() != '\0') {
      object["git"] = GitDescribe();
    }
    if (model) {
      object["model"] = model->folder;
      object["model_hash"] = model->sha256;
    }
    if (model && !model->trained_folder.empty()) {
      object["trained_screen"] = model->trained_folder;
      object["trained_screen_hash"] = model->trained_sha256;
    }
    console.Out(JsonLine(object) + "\n");
    return ExitCode::kSafe;
  }
  const std::string git = *GitDescribe() == '\0' ? "" : fmt::format(" ({})", GitDescribe());
  std::string out = fmt::format("safeguard {}{}\n", VersionText(), git);
  out += fmt::format("built with  {}, {}\n", CompilerText(), BuildType());
  out += fmt::format("kernels     screen {}; reasoner {}\n", services.ScreenKernels(),
                     services.ReasonerKernels());
  out += fmt::format("packed      the reasoner's packed weights are {}\n", PackedFilesText());
  if (model) {
    const bool trained = !model->trained_folder.empty();
    const auto line = [&out](const char* name, const std::string& folder, const std::string& hash) {
      out += fmt::format("{:<12}{}\n            sha256 {}\n", name, folder, hash);
    };
    if (trained) {
      line("screen", model->trained_folder + " (trained)", model->trained_sha256);
    }
    line(trained ? "on" : "screen", model->folder + (trained ? "" : " (by similarity of meaning)"),
         model->sha256);
  } else {
    out += fmt::format("screen      none: {}\n", Describe(model.error()));
  }
  console.Out(out);
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
