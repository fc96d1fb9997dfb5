// The form of the audit log: its lines, what is hashed, what is signed.
//
//   line        HASH BODY LF
//   HASH        BLAKE2b("safeguard audit 1" LF, the hash of the line before, LF, BODY)
//   BODY        {"n": NUMBER, "at": TIME, "kind": KIND, ...}; numbers are 1, 2, 3, ...
//   begin       "key": the first public key
//   verdict     what was decided; "commitment" to what it was about
//   erased      "entries": numbers whose openings were removed
//   rotate      "key": the public key that signs after the next checkpoint
//   checkpoint  "key", "signature": over the number and the hash of the line before
//
// Every append ends with a checkpoint. Of a rotation, the checkpoint is the old key's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/signature.h"
#include "moderation/verdict_log.h"
#include "storage/audit_log.h"

namespace safeguard::storage::audit {

using Json = nlohmann::ordered_json;

inline constexpr std::size_t kLineBytesMax = std::size_t{1} << 16;
inline constexpr std::size_t kHashDigits = 64;

// Of the line before the first.
std::string FirstHash();
std::string EntryHash(std::string_view previous, std::string_view body);
// Without its LF.
std::string Line(std::string_view previous, const Json& body);

struct Entry {
  std::string hash;
  std::string body;
  Json json;
  std::int64_t number = 0;
  std::string kind;
};

// Nothing: it is no line of an audit log.
std::optional<Entry> ReadLine(std::string_view line);

Json Body(std::int64_t number, const std::string& kind);
Json VerdictBody(std::int64_t number, const moderation::VerdictRecord& record,
                 const AuditOpening& opening);
Json CheckpointBody(std::int64_t number, std::string_view previous, const SigningKey& key);
bool IsSigned(const Entry& checkpoint, std::string_view previous);

std::string Commitment(const AuditOpening& opening);
AuditOpening NewOpening(std::int64_t number, const moderation::VerdictRecord& record);
std::string OpeningLine(const AuditOpening& opening);
std::optional<AuditOpening> ReadOpening(std::string_view line);

// Where the log ended when it was last written.
struct Head {
  std::int64_t entries = 0;
  std::size_t bytes = 0;
  std::string hash;  // of the last entry, a checkpoint
  std::string key;
  std::string signature;
};

Head NewHead(std::int64_t entries, std::size_t bytes, const std::string& hash,
             const SigningKey& key);
std::string HeadLine(const Head& head);
// Nothing: it is no head. The signature is not looked at.
std::optional<Head> ReadHead(std::string_view line);
bool IsSigned(const Head& head);

}  // namespace safeguard::storage::audit
