#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "apps/doctor/finding.h"
#include "apps/input/policy_catalog.h"
#include "apps/output/byte_size.h"
#include "engine/model_files.h"

namespace safeguard::apps {
namespace {

constexpr const char* kHowToGet =
    "./demo.sh fetches the models; or name their folder with "
    "SAFEGUARD_MODELS";

// Opens the screen and judges a harmless content with it: files that are there and hash right can
// still not work together.
void AskScreen(Services& services, Findings& findings) {
  const PolicyCatalog catalog(services.shipped_policies());
  const std::vector<std::string> names = catalog.names();
  if (names.empty()) {
    findings.Warn("no policies ship with this build", "name your own with --policy FILE");
    return;
  }
  const Result<LoadedPolicy> policy = catalog.Load(names.front(), "", Golden::kIgnore);
  const auto judge = policy ? services.OpenJudge({}) : std::unexpected(policy.error());
  const auto prepared =
      judge ? (*judge)->Prepare(policy->policy, {}) : std::unexpected(judge.error());
  if (!prepared) {
    findings.Fault(prepared.error().message,
                   prepared.error().hint.empty() ? kHowToGet : prepared.error().hint);
    return;
  }
  const moderation::Content content = moderation::UserMessage("The parcel arrived on Tuesday.");
  const auto begin = std::chrono::steady_clock::now();
  const auto verdicts = (*judge)->Decide(std::span(&*prepared, 1), std::span(&content, 1));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  const moderation::Verdict& verdict = verdicts.front();
  if (verdict.outcome == moderation::Outcome::kUndetermined && !verdict.score) {
    findings.Fault("the screen cannot judge: " + verdict.detail, kHowToGet);
  } else {
    findings.Ok(
        fmt::format("the screen {} answers in {:.1f} ms", verdict.decided_by.model, took.count()));
  }
}

void CheckFiles(Services& services, Findings& findings) {
  const Result<ModelFile> model = services.FindModel("");
  if (!model) {
    findings.Fault(model.error().message, model.error().hint);
    return;
  }
  findings.Ok(fmt::format("encoder {}, sha256 {}...", model->folder, model->sha256.substr(0, 12)));
  if (model->trained_folder.empty()) {
    findings.Warn("no trained screen is installed; it judges by similarity of meaning",
                  "put models/screen of the repository beside the encoder's folder: it is better "
                  "on every set that we measure");
  } else {
    findings.Ok(fmt::format("trained screen {}, sha256 {}...", model->trained_folder,
                            model->trained_sha256.substr(0, 12)));
  }
  AskScreen(services, findings);
}

std::uint64_t CheckCheckpoint(const std::string& path, Services& services, Findings& findings) {
  if (const auto counter = services.OpenTokenCounter(""); !counter) {
    findings.Warn(
        "no o200k token ranks: " + counter.error().message,
        "needed for checkpoints that bring no tokenizer, and to count tokens of policies");
  }
  if (path.empty()) {
    findings.Ok("no reasoner was asked about (--model PATH)");
    return 0;
  }
  const Result<engine::ModelInfo> info = engine::ReadModelInfo(path);
  if (!info) {
    findings.Fault(info.error().message, info.error().hint.empty()
                                             ? "safeguard model pull fetches what is missing"
                                             : info.error().hint);
    return 0;
  }
  std::uint64_t bytes = 0;
  for (const engine::ModelFileInfo& file : info->files) {
    bytes += file.bytes;
  }
  findings.Ok(fmt::format("reasoner {}: {}, {} tensors in {} files, {}, complete", path,
                          info->format, info->tensors.size(), info->files.size(), ByteSize(bytes)));
  return bytes;
}

}  // namespace

std::uint64_t CheckModels(const std::string& reasoner, Services& services, Findings& findings) {
  findings.Begin("models");
  CheckFiles(services, findings);
  return CheckCheckpoint(reasoner, services, findings);
}

}  // namespace safeguard::apps
