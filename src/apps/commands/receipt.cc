#include "moderation/receipt.h"

#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/receipt_commands.h"
#include "apps/input/data_folder.h"
#include "storage/audit_log.h"
#include "storage/stores.h"

namespace safeguard::apps {

ExitCode RunReceipt(const ReceiptArguments& arguments, Console& console) {
  const Result<std::string> folder = DataFolder(arguments.data_dir);
  if (!folder) {
    return Fails(console, folder.error(), ExitCode::kUsage);
  }
  const auto log = storage::OpenVerdictLog(*folder, {});
  if (!log) {
    return Fails(console, log.error(), ExitCode::kCannotRun);
  }
  const Result<std::optional<moderation::VerdictRecord>> found =
      moderation::FindVerdict(**log, arguments.sequence);
  if (!found) {
    return Fails(console, found.error(), ExitCode::kCannotRun);
  }
  if (!*found) {
    return Fails(
        console,
        {ErrorCode::kNotFound, "the log has no verdict " + std::to_string(arguments.sequence),
         "safeguard verdicts --json shows the sequence of each"},
        ExitCode::kUsage);
  }
  bool is_signed = false;
  const Result<std::string> receipt =
      moderation::SignedReceiptJson(**found, [&](std::string_view text) {
        auto signature = storage::SignWithAuditKey(*folder, text);
        is_signed = signature && *signature;
        return signature;
      });
  if (!receipt) {
    return Fails(console, receipt.error(), ExitCode::kCannotRun);
  }
  if (!is_signed) {
    console.Error(
        "safeguard: the receipt is not signed: the data folder has no audit log, whose key would "
        "sign it (safeguard audit init makes one)\n");
  }
  console.Out(*receipt);
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
