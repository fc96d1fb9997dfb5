#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/output/display_text.h"
#include "apps/output/transfer_line.h"
#include "apps/output/verdict_json.h"
#include "apps/pull/file_choice.h"
#include "apps/pull/pull_model.h"

namespace safeguard::apps {
namespace {

using pull::ChecksumKind;
using pull::FileOutcome;
using pull::PulledFile;
using pull::PullReport;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  text.erase(0, text.find_first_not_of(" \t\r\n"));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

const char* OutcomeText(FileOutcome outcome) {
  switch (outcome) {
    case FileOutcome::kPulled:
      return "pulled";
    case FileOutcome::kPresent:
      return "present";
    case FileOutcome::kVerified:
      return "verified";
  }
  return "";
}

nlohmann::ordered_json FileJson(const PulledFile& pulled) {
  nlohmann::ordered_json object = {{"path", pulled.file.path}, {"bytes", pulled.file.size}};
  switch (pulled.file.checksum.kind) {
    case ChecksumKind::kSha256:
      object["sha256"] = pulled.file.checksum.hex;
      break;
    case ChecksumKind::kGitSha1:
      object["git_sha1"] = pulled.file.checksum.hex;
      break;
    case ChecksumKind::kNone:
      break;
  }
  object["outcome"] = OutcomeText(pulled.outcome);
  return object;
}

nlohmann::ordered_json ReportJson(const PullReport& report) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const PulledFile& file : report.files) {
    files.push_back(FileJson(file));
  }
  const auto text = [](const std::string& value) {
    return value.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
  };
  return {{"source", report.source},
          {"revision", text(report.revision)},
          {"commit", text(report.commit)},
          {"folder", report.folder},
          {"files", std::move(files)},
          {"bytes", report.bytes},
          {"bytes_received", report.bytes_received},
          {"seconds", report.seconds}};
}

std::string ReportText(const PullReport& report) {
  std::size_t pulled = 0;
  std::size_t known = 0;
  std::size_t unpublished = 0;
  for (const PulledFile& file : report.files) {
    pulled += file.outcome == FileOutcome::kPulled ? 1 : 0;
    known += file.outcome == FileOutcome::kPresent ? 1 : 0;
    unpublished += file.file.checksum.kind == ChecksumKind::kNone ? 1 : 0;
  }
  std::string text =
      fmt::format("{} is complete: {} file{}, {}", Printable(report.folder), report.files.size(),
                  report.files.size() == 1 ? "" : "s", pull::ByteText(report.bytes));
  if (pulled == 0) {
    text += "; all were there already";
    text += known > 0 ? ", known by size and time (--verify checks their hashes)"
                      : ", and their hashes are right";
    return text + "\n";
  }
  if (report.bytes_received > 0 && report.seconds > 0) {
    text += fmt::format("; {} fetched in {:.0f} s", pull::ByteText(report.bytes_received),
                        report.seconds);
  }
  text += unpublished == 0
              ? known == 0 ? "; all hashes are right" : "; the hashes of what came are right"
              : fmt::format("; {} without a published hash, checked by size alone", unpublished);
  return text + "\n";
}

}  // namespace

ExitCode RunModelPull(const ModelPullArguments& arguments, Console& console,
                      const std::atomic<bool>& stop) {
  pull::PullSettings settings;
  if (const std::string endpoint = Environment("HF_ENDPOINT"); !endpoint.empty()) {
    settings.endpoint = endpoint;
  }
  settings.token = Environment("HF_TOKEN");
  settings.certificates = Environment("SSL_CERT_FILE");
  pull::PullRequest request;
  request.name = arguments.name;
  request.folder = arguments.to;
  request.revision = arguments.revision;
  request.globs = arguments.include;
  request.connections = arguments.connections;
  request.verify = arguments.verify;
  TransferLine line(console);
  const Result<PullReport> report = pull::PullModel(request, settings, line, stop);
  line.Clear();
  if (!report) {
    return Fails(
        console, report.error(),
        report.error().code == ErrorCode::kInvalidInput ? ExitCode::kUsage : ExitCode::kCannotRun);
  }
  if (report->interrupted) {
    console.Error(
        "safeguard: interrupted; what has arrived is kept: run the same command again to go on\n");
    return ExitCode::kInterrupted;
  }
  console.Out(arguments.json ? JsonLine(ReportJson(*report)) + "\n" : ReportText(*report));
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
