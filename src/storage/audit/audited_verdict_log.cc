#include <memory>
#include <span>
#include <utility>

#include "storage/audit_log.h"

namespace safeguard::storage {
namespace {

class AuditedVerdictLog final : public moderation::VerdictLog {
 public:
  AuditedVerdictLog(std::unique_ptr<moderation::VerdictLog> log, std::unique_ptr<AuditLog> audit)
      : log_(std::move(log)), audit_(std::move(audit)) {}

  Status Append(std::span<const moderation::VerdictRecord> records) override {
    const Status audited = audit_->Append(records);
    return audited ? log_->Append(records) : audited;
  }
  Result<moderation::VerdictPage> Scan(const moderation::VerdictQuery& query) override {
    return log_->Scan(query);
  }
  Result<std::uint64_t> Count(const moderation::VerdictQuery& query) override {
    return log_->Count(query);
  }

 private:
  std::unique_ptr<moderation::VerdictLog> log_;
  std::unique_ptr<AuditLog> audit_;
};

}  // namespace

Result<std::unique_ptr<moderation::VerdictLog>> OpenAuditedVerdictLog(
    const std::string& data_folder, const OpenOptions& options) {
  Result<std::unique_ptr<moderation::VerdictLog>> log = OpenVerdictLog(data_folder, options);
  if (!log || !HasAuditLog(data_folder)) {
    return log;
  }
  Result<std::unique_ptr<AuditLog>> audit = OpenAuditLog(data_folder, false);
  if (!audit) {
    return std::unexpected(audit.error());
  }
  return std::make_unique<AuditedVerdictLog>(std::move(*log), std::move(*audit));
}

}  // namespace safeguard::storage
