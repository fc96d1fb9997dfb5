#include "apps/commands/serve_parts.h"

#include <unistd.h>

#include <sstream>
#include <utility>

#include "apps/calibration/find_calibration.h"
#include "apps/commands/judging.h"
#include "apps/input/data_folder.h"
#include "apps/input/embedded_pack.h"
#include "apps/input/key_file.h"
#include "apps/input/policy_catalog.h"
#include "apps/serve/eval_worker.h"
#include "apps/serve/tenants.h"
#include "base/file.h"
#include "eval/golden_set.h"
#include "http/webhook_sender.h"
#include "http/webhook_signature.h"
#include "moderation/calibrated_judge.h"
#include "storage/audit_log.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kSecretFileBytesMax = 65'536;
// Contents of an evaluation that are given to the judge at once: between them requests have their
// turn, and a stop is seen.
constexpr std::size_t kEvalBatch = 16;
constexpr std::size_t kSlowEvalBatch = 4;

Status AddShipped(std::span<const EmbeddedFile> files, const std::string& pack,
                  std::vector<http::ShippedPolicy>& shipped) {
  const PolicyCatalog catalog(files);
  for (const std::string& name : catalog.names()) {
    const Result<PolicyCatalog::Source> source = catalog.Read(name, "", Golden::kRead);
    if (!source) {
      return std::unexpected(source.error());
    }
    Result<moderation::Policy> policy = moderation::ReadPolicy(source->policy, source->fallback_id);
    if (!policy) {
      return std::unexpected(policy.error());
    }
    std::istringstream in(source->golden);
    Result<std::vector<moderation::GoldenCase>> golden =
        source->golden.empty() ? std::vector<moderation::GoldenCase>()
                               : eval::ReadGoldenSet(in, source->golden_origin);
    if (!golden) {
      return std::unexpected(golden.error());
    }
    shipped.push_back({std::move(*policy), source->policy, std::move(*golden), pack});
  }
  return {};
}

Result<std::vector<std::string>> Secrets(const std::string& path) {
  const Result<std::string> text = ReadFile(path, kSecretFileBytesMax);
  return text ? http::ReadSecrets(*text) : std::unexpected(text.error());
}

// Reviews, files and batches of files.
Status OpenFiles(Kept& kept) {
  auto reviews = storage::OpenReviewQueue(kept.folder, {}, {.create = true});
  if (!reviews) {
    return std::unexpected(reviews.error());
  }
  auto files = storage::OpenFileStore(kept.folder, {}, {.create = true});
  if (!files) {
    return std::unexpected(files.error());
  }
  auto batches = storage::OpenBatchStore(kept.folder, {.create = true});
  if (!batches) {
    return std::unexpected(batches.error());
  }
  kept.reviews = std::move(*reviews);
  kept.files = std::move(*files);
  kept.batches = std::move(*batches);
  return {};
}

}  // namespace

moderation::ReceiptSigner SignerOf(const Kept& kept) {
  return [folder = kept.folder](std::string_view text) {
    return storage::SignWithAuditKey(folder, text);
  };
}

Result<Kept> OpenKept(const std::string& flag) {
  Kept kept;
  kept.folder = NamedDataFolder(flag);
  if (kept.folder.empty()) {
    return kept;
  }
  Result<std::unique_ptr<moderation::PolicyStore>> policies =
      storage::OpenPolicyStore(kept.folder, {.create = true});
  if (!policies) {
    return std::unexpected(policies.error());
  }
  Result<std::unique_ptr<moderation::VerdictLog>> verdicts =
      storage::OpenAuditedVerdictLog(kept.folder, {.create = true});
  if (!verdicts) {
    return std::unexpected(verdicts.error());
  }
  Result<std::unique_ptr<moderation::JobQueue>> queue =
      storage::OpenJobQueue(kept.folder, {}, {.create = true});
  if (!queue) {
    return std::unexpected(queue.error());
  }
  kept.policies = std::move(*policies);
  kept.verdicts = std::move(*verdicts);
  kept.queue = std::move(*queue);
  const Status opened = OpenFiles(kept);
  return opened ? Result<Kept>(std::move(kept)) : std::unexpected(opened.error());
}

Result<std::vector<http::ShippedPolicy>> LoadShipped(Services& services) {
  std::vector<http::ShippedPolicy> shipped;
  Status added = AddShipped(services.shipped_policies(), "", shipped);
  if (added) {
    added = AddShipped(EmbeddedPackFiles(), "openai", shipped);
  }
  return added ? Result<std::vector<http::ShippedPolicy>>(std::move(shipped))
               : std::unexpected(added.error());
}

Result<std::vector<moderation::GoldenCase>> ReadGolden(std::string_view bytes,
                                                       const std::string& name) {
  std::istringstream in{std::string(bytes)};
  return eval::ReadGoldenSet(in, name);
}

std::unique_ptr<moderation::Judge> WithStoredCalibrations(std::unique_ptr<moderation::Judge> judge,
                                                          const Kept& kept,
                                                          const JudgeChoice& choice,
                                                          Services& services, Console& console) {
  if (kept.policies == nullptr) {
    return judge;
  }
  return std::make_unique<moderation::CalibratedJudge>(
      std::move(judge),
      [&kept, choice, &services, &console](
          const moderation::Policy& policy) -> Result<std::optional<moderation::ScoreCalibration>> {
        const auto info = kept.policies->Find(policy.id, policy.version);
        if (!info || info->hash != policy.hash) {
          return std::nullopt;  // it ships with the program
        }
        const auto version = moderation::ReadLiveVersion(*kept.policies, *info);
        Result<LoadedPolicy> loaded =
            version ? LoadStored(**version, "", Golden::kRead) : std::unexpected(version.error());
        if (!loaded) {
          return std::unexpected(loaded.error());
        }
        loaded->stored = *info;
        const Result<Calibrations> found =
            FindCalibrations({}, {*loaded}, kept.folder, choice, services, console);
        if (!found) {
          return std::unexpected(found.error());
        }
        const auto place = found->find(policy.hash);
        return place == found->end() ? std::nullopt : std::optional(place->second);
      });
}

namespace {

Result<std::unique_ptr<moderation::MessageSender>> SenderWith(const WebhookArguments& arguments,
                                                              const std::string& secrets) {
  http::WebhookOptions options;
  options.secrets = [path = secrets] { return Secrets(path); };
  options.allowed = arguments.allowed;
  options.certificates = arguments.certificates;
  return http::OpenWebhookSender(std::move(options));
}

}  // namespace

Result<std::unique_ptr<moderation::MessageSender>> OpenSender(const WebhookArguments& arguments) {
  if (!arguments.url.empty()) {
    if (const Status good = http::CheckWebhookUrl(arguments.url); !good) {
      return std::unexpected(good.error());
    }
  }
  if (arguments.secret_file.empty()) {
    return nullptr;
  }
  if (const auto secrets = Secrets(arguments.secret_file); !secrets) {
    return std::unexpected(secrets.error());
  }
  return SenderWith(arguments, arguments.secret_file);
}

std::string TenantSecretsPath(const std::string& tenant_folder) {
  return tenant_folder + "/webhook-secrets.txt";
}

bool HasTenantSecrets(const std::string& tenant_folder) {
  std::error_code unreadable;
  return std::filesystem::exists(TenantSecretsPath(tenant_folder), unreadable) || unreadable;
}

Result<std::unique_ptr<moderation::MessageSender>> OpenTenantSender(
    const WebhookArguments& arguments, const std::string& tenant_folder) {
  return SenderWith(arguments, TenantSecretsPath(tenant_folder));
}

Status KeyWatch::Look() {
  if (folder_.empty()) {
    return {};
  }
  std::error_code missing;
  const auto time = std::filesystem::last_write_time(KeyFilePath(folder_), missing);
  if (missing ? !there_ : there_ && time == time_) {
    return {};
  }
  Result<std::vector<http::ApiKey>> keys = LoadKeys(folder_);
  there_ = !missing;
  time_ = time;
  if (!keys) {
    return std::unexpected(keys.error());
  }
  ring_.Set(std::move(*keys));
  return {};
}

Status WarmPolicies(http::PolicyShelf& shelf, const std::vector<std::string>& guards) {
  if (Status warm = shelf.Warm(); !warm) {
    return warm;
  }
  const auto snapshot = shelf.Snapshot();
  if (!snapshot) {
    return std::unexpected(snapshot.error());
  }
  const auto found = shelf.Resolve(snapshot->get(), guards, "");
  return found ? Status{} : std::unexpected(found.error());
}

std::unique_ptr<moderation::JobWorker> MakeEvals(const JudgeChoice& choice, Services& services,
                                                 const Kept& kept, moderation::Judge& judge,
                                                 http::PolicyShelf& shelf,
                                                 const std::atomic<bool>& stop) {
  return MakeEvalWorker(
      {.queue = *kept.queue,
       .files = *kept.files,
       .judge = judge,
       .shelf = shelf,
       .judge_name = choice.judge,
       .judge_identity = [&services, choice] { return services.JudgeIdentity(choice); },
       .folder = EvalFolder(kept.folder),
       .batch = choice.judge == "reasoner" ? kSlowEvalBatch : kEvalBatch,
       .name = "serve:" + std::to_string(::getpid()),
       .stop = stop});
}

JudgeChoice SlowChoice(const ServeArguments& arguments) {
  JudgeChoice choice = arguments.judge;
  choice.judge = "reasoner";
  choice.model = arguments.talk.slow_judge;
  return choice;
}

std::vector<std::string> ChangedKeys(const std::string& before, const std::string& after) {
  std::vector<std::string> changed;
  std::istringstream old_lines(before);
  std::istringstream new_lines(after);  // of the same keys, in the same order
  std::string old_line;
  std::string new_line;
  while (std::getline(old_lines, old_line) && std::getline(new_lines, new_line)) {
    if (old_line != new_line) {
      changed.push_back(new_line.substr(0, new_line.find(':')));
    }
  }
  return changed;
}

}  // namespace safeguard::apps
