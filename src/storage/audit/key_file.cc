#include "storage/audit/key_file.h"

#include <optional>
#include <string_view>

#include "base/file.h"
#include "storage/audit_log.h"

namespace safeguard::storage {
namespace {

constexpr std::size_t kKeyBytesMax = 4096;

}  // namespace

Result<SigningKey> audit::ReadKeyFile(const std::string& path) {
  Result<std::string> text = ReadFile(path, kKeyBytesMax);
  if (!text) {
    return std::unexpected(text.error());
  }
  while (text->ends_with('\n')) {
    text->pop_back();
  }
  std::optional<SigningKey> key = SigningKeyFrom(*text);
  if (!key) {
    return Fail(ErrorCode::kCorruptFile, path + " is no signing key", "restore it from a backup");
  }
  return *key;
}

Result<std::optional<moderation::ReceiptSignature>> SignWithAuditKey(const std::string& data_folder,
                                                                     std::string_view text) {
  if (!HasAuditLog(data_folder)) {
    return std::nullopt;
  }
  const Result<SigningKey> key = audit::ReadKeyFile(data_folder + "/audit/key");
  if (!key) {
    Error error = key.error();
    error.message = "the receipt cannot be signed: " + error.message;
    return std::unexpected(std::move(error));
  }
  return moderation::ReceiptSignature{key->public_key, Sign(*key, text)};
}

}  // namespace safeguard::storage
