// The stores on the disk: a data folder with policies.db, verdicts.db, jobs.db, reviews.db,
// audits.db and files.db, SQLite in WAL mode. Any number of processes may hold them open; a commit
// is on the disk (fsync) when a call returns, and a process killed at any moment leaves the change
// whole or not there.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "moderation/audit_ledger.h"
#include "moderation/batch_store.h"
#include "moderation/file_store.h"
#include "moderation/job_queue.h"
#include "moderation/policy_store.h"
#include "moderation/review_queue.h"
#include "moderation/verdict_log.h"

namespace safeguard::storage {

struct OpenOptions {
  // Make the folder (for its owner alone) and the database when they are not there. Without it
  // opening what is not there is kNotFound.
  bool create = false;
  // How long to wait for another process's write before kUnavailable.
  std::chrono::milliseconds busy_timeout{5000};
};

// kCorruptFile: not a database, another program's, or damaged. kUnavailable: no permission, locked,
// full, or written by a newer safeguard. Older schemas are brought up to date when opened.
Result<std::unique_ptr<moderation::PolicyStore>> OpenPolicyStore(const std::string& data_folder,
                                                                 const OpenOptions& options);
Result<std::unique_ptr<moderation::VerdictLog>> OpenVerdictLog(const std::string& data_folder,
                                                               const OpenOptions& options);
Result<std::unique_ptr<moderation::JobQueue>> OpenJobQueue(const std::string& data_folder,
                                                           const moderation::QueueLimits& limits,
                                                           const OpenOptions& options);
Result<std::unique_ptr<moderation::ReviewQueue>> OpenReviewQueue(
    const std::string& data_folder, const moderation::ReviewLimits& limits,
    const OpenOptions& options);
// Of the route of that name.
Result<std::unique_ptr<moderation::AuditLedger>> OpenAuditLedger(const std::string& data_folder,
                                                                 const std::string& route,
                                                                 const OpenOptions& options);
// Both in files.db.
Result<std::unique_ptr<moderation::FileStore>> OpenFileStore(const std::string& data_folder,
                                                             const moderation::FileLimits& limits,
                                                             const OpenOptions& options);
Result<std::unique_ptr<moderation::BatchStore>> OpenBatchStore(const std::string& data_folder,
                                                               const OpenOptions& options);

}  // namespace safeguard::storage
