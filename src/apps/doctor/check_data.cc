#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "apps/doctor/finding.h"
#include "apps/input/key_file.h"
#include "storage/audit_log.h"
#include "storage/check_databases.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

constexpr unsigned kOthers = 077;  // of a mode: what group and others may

// Nothing where it is not there.
std::optional<unsigned> ModeOf(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return status.st_mode & 0777U;
}

void CheckFolder(const std::string& folder, unsigned mode, Findings& findings) {
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    findings.Fault(folder + " is not ours to write",
                   "run as the user that owns it, or give it away with chown -R");
  } else if ((mode & kOthers) != 0) {
    findings.Warn(
        fmt::format("{} has mode {:o}: others of this machine can look into it", folder, mode),
        "chmod 700 " + folder);
  } else {
    findings.Ok(fmt::format("{}, mode {:o}", folder, mode));
  }
}

// Where a folder is to be made: in the nearest one above it that is there.
void CheckPlace(const std::string& folder, Findings& findings) {
  std::error_code failed;
  std::filesystem::path above = std::filesystem::absolute(folder, failed);
  while (above.has_relative_path() && !ModeOf(above.string())) {
    above = above.parent_path();
  }
  if (!std::filesystem::is_directory(above, failed) || ::access(above.c_str(), W_OK | X_OK) != 0) {
    findings.Fault(
        folder + " is not there and cannot be made: " + above.string() + " is not ours to write",
        "name another one with --data-dir, or make it and give it to this user");
    return;
  }
  findings.Ok(folder + " is not there yet; the first command that keeps something makes it");
}

void CheckSecret(const std::string& path, const char* what, Findings& findings) {
  const std::optional<unsigned> mode = ModeOf(path);
  if (mode && (*mode & kOthers) != 0) {
    findings.Fault(fmt::format("{} {} has mode {:o}: others can read it", what, path, *mode),
                   "chmod 600 " + path + ", and make new ones if somebody may have");
  }
}

void CheckKeys(const std::string& folder, std::int64_t now, Findings& findings) {
  CheckSecret(KeyFilePath(folder), "the key file", findings);
  const Result<std::vector<http::ApiKey>> keys = LoadKeys(folder);
  if (!keys) {
    findings.Fault(keys.error());
    return;
  }
  const auto ended = static_cast<std::size_t>(
      std::ranges::count_if(*keys, [&](const http::ApiKey& key) { return key.ExpiredAt(now); }));
  if (!keys->empty() && ended == keys->size()) {
    findings.Fault(fmt::format("all {} API keys have ended: nobody can use the service", ended),
                   "safeguard key new NAME --scope judge");
  } else if (!keys->empty()) {
    findings.Ok(fmt::format("{} API keys{}", keys->size(),
                            ended == 0 ? "" : fmt::format(", {} of them ended", ended)));
  }
}

void CheckAudit(const std::string& folder, Findings& findings) {
  if (!storage::HasAuditLog(folder)) {
    findings.Ok("no audit log (safeguard audit init begins one)");
    return;
  }
  CheckSecret(folder + "/audit/key", "the audit log's key", findings);
  const Result<storage::AuditReport> report = storage::VerifyAuditLog(folder, {});
  if (!report) {
    findings.Fault(report.error());
  } else if (!report->findings.empty()) {
    findings.Fault("the audit log is not whole: " + report->findings.front().what,
                   "safeguard audit verify shows all of it; keep the folder as it is, and find out "
                   "who wrote to it");
  } else {
    findings.Ok(fmt::format("audit log: {} entries, {} verdicts, whole", report->entries,
                            report->verdicts));
  }
}

}  // namespace

void CheckData(const std::string& folder, std::int64_t now, Findings& findings) {
  findings.Begin("data");
  if (folder.empty()) {
    findings.Ok("no data folder is named: nothing is kept (--data-dir, $SAFEGUARD_DATA)");
    return;
  }
  const std::optional<unsigned> mode = ModeOf(folder);
  if (!mode) {
    CheckPlace(folder, findings);
    return;
  }
  CheckFolder(folder, *mode, findings);
  const std::vector<storage::DatabaseCheck> checks = storage::CheckDatabases(folder);
  for (const storage::DatabaseCheck& check : checks) {
    if (!check.problem.empty()) {
      findings.Fault(check.file + " is damaged: " + check.problem,
                     "stop what uses it, and restore it from a backup; the audit log still has "
                     "what was decided");
    } else {
      findings.Ok(check.file + " is whole");
    }
  }
  CheckKeys(folder, now, findings);
  CheckAudit(folder, findings);
}

}  // namespace safeguard::apps
