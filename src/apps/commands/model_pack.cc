#include <fmt/format.h>

#include <string>

#include "apps/commands/commands.h"
#include "apps/commands/model_run.h"
#include "apps/input/packed_files.h"
#include "apps/output/byte_size.h"
#include "apps/output/display_text.h"
#include "apps/output/verdict_json.h"
#include "engine/packed_file.h"

namespace safeguard::apps {

ExitCode RunModelPack(const ModelPackArguments& arguments, Console& console) {
  engine::PackedFileOptions options = PackedFiles(true);
  options.beside_model = true;  // who asks for a file gets one, whatever the environment says
  options.on_note = [&console](const std::string& note) {
    console.Error("safeguard: " + Printable(note) + "\n");
  };
  const auto precision = engine::ModelPrecisionOf(arguments.precision);
  const Result<engine::PackedReport> report =
      engine::PackModel(arguments.path, precision.value_or(engine::ModelPrecision::kDefault),
                        options, arguments.threads);
  if (!report) {
    return Fails(console, report.error(), FailureCode(report.error()));
  }
  const bool made = report->state == engine::PackedState::kMade;
  if (arguments.json) {
    console.Out(JsonLine({{"path", report->path},
                          {"bytes", report->bytes},
                          {"was_there", !made},
                          {"seconds", report->seconds}}) +
                "\n");
    return ExitCode::kSafe;
  }
  console.Out(fmt::format("{} {} ({} of weights, {:.1f} s)\n",
                          made ? "wrote" : "checked, all good:", Printable(report->path),
                          ByteSize(report->bytes), report->seconds));
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
