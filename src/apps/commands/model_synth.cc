#include "engine/model_synth.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/input/model_folders.h"
#include "apps/output/byte_progress.h"
#include "apps/output/byte_size.h"
#include "apps/output/display_text.h"
#include "apps/output/verdict_json.h"
#include "base/file.h"

namespace safeguard::apps {
namespace {

using engine::SynthDense;
using engine::SynthFormat;

constexpr std::size_t kRankFileBytesMax = 64 << 20;

SynthFormat FormatOf(const std::string& name) {
  return name == "gguf"       ? SynthFormat::kGguf
         : name == "original" ? SynthFormat::kOriginal
                              : SynthFormat::kSafetensors;
}

SynthDense DenseOf(const std::string& name) {
  return name == "bf16" ? SynthDense::kBF16 : name == "f16" ? SynthDense::kF16 : SynthDense::kQ8_0;
}

// The ranks for the tokenizer tables. Without them the model can still be written.
std::string ReadRanks(const std::string& model, Console& console) {
  Result<std::string> path = FindModelPath(kRankFile, ModelFolders(model));
  Result<std::string> ranks =
      path ? ReadFile(*path, kRankFileBytesMax) : std::unexpected(std::move(path.error()));
  if (!ranks) {
    console.Error("safeguard: the tokenizer tables will hold single bytes alone: " +
                  Printable(Describe(ranks.error())) + "\n");
    return "";
  }
  return std::move(*ranks);
}

}  // namespace

ExitCode RunModelSynth(const ModelSynthArguments& arguments, Console& console,
                       const std::atomic<bool>& stop) {
  engine::SynthRequest request;
  request.shape = arguments.shape;
  request.seed = arguments.seed;
  request.format = FormatOf(arguments.format);
  request.dense = DenseOf(arguments.dense);
  request.out = arguments.out;
  request.overwrite = arguments.overwrite;
  request.threads = arguments.threads;
  std::string ranks;
  if (request.format == SynthFormat::kGguf) {
    ranks = ReadRanks(arguments.model, console);
    request.rank_file = ranks;
  }
  const auto begin = std::chrono::steady_clock::now();
  std::unique_ptr<ByteProgress> progress;
  request.progress = [&](std::uint64_t done, std::uint64_t total) {
    if (progress == nullptr) {
      progress = std::make_unique<ByteProgress>(console, "Writing", total);
    }
    progress->Update(done);
    return !stop.load();
  };
  const Result<engine::SynthResult> written = engine::SynthesizeModel(request);
  progress.reset();
  if (!written) {
    const bool usage = written.error().code == ErrorCode::kInvalidInput;
    return Fails(console, written.error(), usage ? ExitCode::kUsage : ExitCode::kCannotRun);
  }
  if (written->stopped) {
    console.Error("safeguard: stopped; no unfinished file is left\n");
    return ExitCode::kInterrupted;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (arguments.json) {
    console.Out(JsonLine({{"out", arguments.out},
                          {"files", written->files},
                          {"bytes", written->bytes},
                          {"seconds", seconds}}) +
                "\n");
  } else {
    console.Out(fmt::format("wrote {} ({} in {} file{}, {:.1f} s)\n", Printable(arguments.out),
                            ByteSize(written->bytes), written->files.size(),
                            written->files.size() == 1 ? "" : "s", seconds));
  }
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
