// The parts of a server: what it keeps, the policies that ship with the program, its judge and its
// keys.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "apps/command_line/serve_arguments.h"
#include "apps/output/console.h"
#include "apps/services.h"
#include "base/result.h"
#include "http/keys.h"
#include "http/policy_shelf.h"
#include "moderation/batch_store.h"
#include "moderation/file_store.h"
#include "moderation/job_queue.h"
#include "moderation/job_workers.h"
#include "moderation/message_sender.h"
#include "moderation/policy_store.h"
#include "moderation/receipt.h"
#include "moderation/review_queue.h"
#include "moderation/verdict_log.h"

namespace safeguard::apps {

// Null pointers where nothing is kept.
struct Kept {
  std::string folder;
  std::unique_ptr<moderation::PolicyStore> policies;
  std::unique_ptr<moderation::VerdictLog> verdicts;  // through the audit log, where there is one
  std::unique_ptr<moderation::JobQueue> queue;
  std::unique_ptr<moderation::ReviewQueue> reviews;
  std::unique_ptr<moderation::FileStore> files;
  std::unique_ptr<moderation::BatchStore> batches;
};

// `flag`: --data-dir; empty: $SAFEGUARD_DATA, else nothing is kept.
Result<Kept> OpenKept(const std::string& flag);

Result<std::vector<http::ShippedPolicy>> LoadShipped(Services& services);
Result<std::vector<moderation::GoldenCase>> ReadGolden(std::string_view bytes,
                                                       const std::string& name);

// Under a stored version with the calibration that is kept with it, as `classify` judges. All given
// must outlive it.
std::unique_ptr<moderation::Judge> WithStoredCalibrations(std::unique_ptr<moderation::Judge> judge,
                                                          const Kept& kept,
                                                          const JudgeChoice& choice,
                                                          Services& services, Console& console);

// Signs receipts with the key of the folder's audit log, as it is when one is exported.
moderation::ReceiptSigner SignerOf(const Kept& kept);

// Null where there is no secret to sign with: nothing goes out unsigned.
Result<std::unique_ptr<moderation::MessageSender>> OpenSender(const WebhookArguments& arguments);

// Prepares the shipped policies and looks for those that guard. A guard whose policy is misspelled
// would judge nothing, and where it fails open let all pass.
Status WarmPolicies(http::PolicyShelf& shelf, const std::vector<std::string>& guards);

// Works on the evaluations of a data folder. All given must outlive it.
std::unique_ptr<moderation::JobWorker> MakeEvals(const JudgeChoice& choice, Services& services,
                                                 const Kept& kept, moderation::Judge& judge,
                                                 http::PolicyShelf& shelf,
                                                 const std::atomic<bool>& stop);

// The judge that the proxy asks when the judge of all requests cannot decide. REQUIRES: there is
// one.
JudgeChoice SlowChoice(const ServeArguments& arguments);

// The keys of a configuration whose lines differ. REQUIRES: both have the same keys in one order.
std::vector<std::string> ChangedKeys(const std::string& before, const std::string& after);

// A tenant's own secrets: no tenant can sign what another's receiver believes.
std::string TenantSecretsPath(const std::string& tenant_folder);
// True as well where that cannot be told: then whoever reads them says why.
bool HasTenantSecrets(const std::string& tenant_folder);
// Signs with them, as they are at each message. They need not be there yet.
Result<std::unique_ptr<moderation::MessageSender>> OpenTenantSender(
    const WebhookArguments& arguments, const std::string& tenant_folder);

// Reads the keys again when their file is another one. A file that cannot be read changes nothing
// but is told: the keys that were good go on.
class KeyWatch {
 public:
  KeyWatch(std::string folder, http::KeyRing& ring) : folder_(std::move(folder)), ring_(ring) {}

  Status Look();

 private:
  std::string folder_;
  http::KeyRing& ring_;
  bool there_ = false;
  std::filesystem::file_time_type time_{};
};

}  // namespace safeguard::apps
