// `safeguard audit ...`: begin, verify, anchor, rotate, erase.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/guard_commands.h"
#include "apps/input/data_folder.h"
#include "apps/input/public_key.h"
#include "apps/output/display_text.h"
#include "apps/output/verdict_json.h"
#include "base/file.h"
#include "storage/audit_log.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kAnchorBytesMax = std::size_t{16} << 20;

Result<storage::AuditVerification> VerificationOf(const AuditArguments& arguments) {
  storage::AuditVerification verification;
  if (!arguments.public_key.empty()) {
    Result<std::string> key = ReadPublicKey(arguments.public_key);
    if (!key) {
      return std::unexpected(key.error());
    }
    verification.public_key = std::move(*key);
  }
  for (const std::string& path : arguments.anchors) {
    const Result<std::string> text = ReadFile(path, kAnchorBytesMax);
    if (!text) {
      return std::unexpected(text.error());
    }
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) {
        verification.anchors.push_back(line);
      }
    }
  }
  return verification;
}

std::string Count(std::size_t count, const char* one, const char* more) {
  return fmt::format("{} {}", count, count == 1 ? one : more);
}

std::string ReportText(const storage::AuditReport& report, bool trusted) {
  std::string text;
  for (const storage::AuditFinding& finding : report.findings) {
    text += finding.line > 0 ? fmt::format("line {}: ", finding.line) : std::string("log: ");
    text += Printable(finding.what) + "\n";
  }
  text += fmt::format("{}, {} of them verdicts, under {} of {}\n",
                      Count(report.entries, "entry", "entries"), report.verdicts,
                      Count(report.checkpoints, "signature", "signatures"),
                      Count(report.keys, "key", "keys"));
  text += fmt::format("{} opened, {} erased\n", Count(report.openings, "commitment", "commitments"),
                      report.erased);
  if (report.unacknowledged > 0) {
    text += fmt::format(
        "{} of an append that was cut short and that nobody was told of; the next one removes "
        "them\n",
        Count(report.unacknowledged, "line", "lines"));
  }
  text += "key " + Printable(report.public_key) + (trusted ? "" : ", by the log's own word") + "\n";
  text += "last " + Printable(report.last_hash) + "\n";
  return text + (report.findings.empty() ? "The log is whole.\n" : "THE LOG IS NOT WHOLE.\n");
}

nlohmann::ordered_json ReportJson(const storage::AuditReport& report) {
  nlohmann::ordered_json json = {{"whole", report.findings.empty()},
                                 {"entries", report.entries},
                                 {"verdicts", report.verdicts},
                                 {"checkpoints", report.checkpoints},
                                 {"keys", report.keys},
                                 {"openings", report.openings},
                                 {"erased", report.erased},
                                 {"unacknowledged", report.unacknowledged},
                                 {"public_key", report.public_key},
                                 {"last_hash", report.last_hash},
                                 {"findings", nlohmann::ordered_json::array()}};
  for (const storage::AuditFinding& finding : report.findings) {
    json["findings"].push_back({{"line", finding.line}, {"what", finding.what}});
  }
  return json;
}

ExitCode Verify(const AuditArguments& arguments, const std::string& folder, Console& console) {
  const Result<storage::AuditVerification> verification = VerificationOf(arguments);
  if (!verification) {
    return Fails(console, verification.error(), ExitCode::kUsage);
  }
  const Result<storage::AuditReport> report = storage::VerifyAuditLog(folder, *verification);
  if (!report) {
    return Fails(console, report.error(), StoreExitCode(report.error()));
  }
  console.Out(arguments.json ? JsonLine(ReportJson(*report)) + "\n"
                             : ReportText(*report, !verification->public_key.empty()));
  return report->findings.empty() ? ExitCode::kSafe : ExitCode::kViolation;
}

ExitCode Change(const AuditArguments& arguments, const std::string& folder, Console& console) {
  if (arguments.verb == AuditVerb::kErase &&
      arguments.content_id.empty() == arguments.content_hash.empty()) {
    return Fails(console,
                 {ErrorCode::kInvalidInput, "erase what?", "give --content-id or --content-hash"},
                 ExitCode::kUsage);
  }
  const bool init = arguments.verb == AuditVerb::kInit;
  const Result<std::unique_ptr<storage::AuditLog>> log = storage::OpenAuditLog(folder, init);
  if (!log) {
    return Fails(console, log.error(), StoreExitCode(log.error()));
  }
  if (arguments.verb != AuditVerb::kErase) {
    const Status done = init ? Status() : (*log)->RotateKey();
    const Result<std::string> key = ReadFile(folder + "/audit/public_key", 4096);
    if (!done || !key) {
      return Fails(console, done ? key.error() : done.error(), ExitCode::kCannotRun);
    }
    console.Out((init ? "The audit log is in " + Printable(folder) +
                            "/audit. Its public key, to be kept elsewhere:\n"
                      : std::string("From here on the key is\n")) +
                *key);
    return ExitCode::kSafe;
  }
  const Result<std::size_t> erased = (*log)->Erase([&](const storage::AuditOpening& opening) {
    return arguments.content_id.empty() ? opening.content_hash == arguments.content_hash
                                        : opening.content_id == arguments.content_id;
  });
  if (!erased) {
    return Fails(console, erased.error(), ExitCode::kCannotRun);
  }
  if (*erased == 0) {
    return Fails(console,
                 {ErrorCode::kNotFound, "no commitment of the audit log stands for that content",
                  "nothing was erased; look at the spelling of the id or the hash"},
                 ExitCode::kCannotRun);
  }
  console.Out(Count(*erased, "commitment", "commitments") +
              " can no longer be opened; the log says so.\n");
  return ExitCode::kSafe;
}

}  // namespace

ExitCode RunAudit(const AuditArguments& arguments, Console& console) {
  const Result<std::string> folder = DataFolder(arguments.data_dir);
  if (!folder) {
    return Fails(console, folder.error(), ExitCode::kUsage);
  }
  if (arguments.verb == AuditVerb::kVerify) {
    return Verify(arguments, *folder, console);
  }
  if (arguments.verb == AuditVerb::kHead) {
    const Result<std::string> head = storage::AuditHead(*folder);
    if (!head) {
      return Fails(console, head.error(), StoreExitCode(head.error()));
    }
    console.Out(*head);
    return ExitCode::kSafe;
  }
  return Change(arguments, *folder, console);
}

}  // namespace safeguard::apps
