// The tamper-evident audit log: every recorded verdict is a link of a hash chain, signed at the end
// of each append. docs/audit.md says what that proves, and against whom.
//
// In DATA/audit: `log` (the chain, one JSON line an entry), `head` (the last signed state: where
// the chain ends), `openings` (the salts and hashes behind the commitments: what erasure removes),
// `key` (secret, 0600) and `public_key`. The log names no content, no content hash and no id of the
// caller: only commitments to them, so that it stays valid when they are erased.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/receipt.h"
#include "moderation/verdict_log.h"
#include "storage/stores.h"

namespace safeguard::storage {

// What a commitment in the log stands for.
struct AuditOpening {
  std::int64_t entry = 0;  // its number in the log
  std::string salt;        // 32 hexadecimal digits
  std::string content_hash;
  std::string content_id;
  std::string surface;
  std::string language;
};

// Thread-safe; several processes may append to one log.
class AuditLog {
 public:
  virtual ~AuditLog() = default;

  // All of `records` or none. Returns when they, and the signature over them, are on the disk. A
  // failed append (a full disk) leaves the log as it was. kCorruptFile: the log is not what its
  // head says; nothing is appended to it any more.
  virtual Status Append(std::span<const moderation::VerdictRecord> records) = 0;
  // Removes openings and says so in the log. Returns how many there were.
  virtual Result<std::size_t> Erase(const std::function<bool(const AuditOpening&)>& which) = 0;
  // A new key from here on, signed by the old one, which is then deleted.
  virtual Status RotateKey() = 0;
};

bool HasAuditLog(const std::string& data_folder);

// With `create` it is made where there is none; without, that is kNotFound. Removes what a killed
// append left behind: entries that nothing has signed, and that nobody was told were written.
Result<std::unique_ptr<AuditLog>> OpenAuditLog(const std::string& data_folder, bool create);

// OpenVerdictLog(), and where the folder has an audit log, what is appended stands there first: a
// verdict that somebody acted on must be in the log that cannot be changed. What fails is in
// neither of them, or in the audit log alone.
Result<std::unique_ptr<moderation::VerdictLog>> OpenAuditedVerdictLog(
    const std::string& data_folder, const OpenOptions& options);

// Signs an exported receipt (moderation/receipt.h) with the key that signs this folder's audit log
// now. Nothing: it has none. An error: its key cannot be read, or is none.
Result<std::optional<moderation::ReceiptSignature>> SignWithAuditKey(const std::string& data_folder,
                                                                     std::string_view text);

// The head: one line of JSON. Kept elsewhere it proves later that the log still holds what it held.
Result<std::string> AuditHead(const std::string& data_folder);

struct AuditFinding {
  std::size_t line = 0;  // of the log, from 1; 0: not about a line
  std::string what;
};

struct AuditReport {
  std::size_t entries = 0;
  std::size_t verdicts = 0;
  std::size_t checkpoints = 0;
  std::size_t keys = 0;            // that signed, one after the other
  std::size_t openings = 0;        // commitments that were opened and hold
  std::size_t erased = 0;          // verdicts without an opening
  std::size_t unacknowledged = 0;  // lines of an append that was cut short; no part of the log
  std::string last_hash;
  std::string public_key;              // of the last signature
  std::vector<AuditFinding> findings;  // empty: the log is whole
};

struct AuditVerification {
  std::string public_key{};            // one that is trusted; empty: the log's own word for it
  std::vector<std::string> anchors{};  // heads that were kept elsewhere
};

inline constexpr std::size_t kAuditFindingsMax = 20;

// Reads the log without writing anything: works on a copy, and needs no secret. An error: it cannot
// be read at all. At most kAuditFindingsMax findings.
Result<AuditReport> VerifyAuditLog(const std::string& data_folder,
                                   const AuditVerification& verification);

}  // namespace safeguard::storage
