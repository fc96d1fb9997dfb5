#include "storage/audit/entries.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/utc_time.h"

namespace safeguard::storage::audit {
namespace {

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool IsHash(std::string_view text) {
  return text.size() == kHashDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string StringAt(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t NumberAt(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::int64_t>() : 0;
}

std::string SignedText(std::int64_t number, std::string_view previous) {
  return "safeguard audit checkpoint 1\n" + std::to_string(number) + "\n" + std::string(previous);
}

std::string SignedText(const Head& head) {
  return "safeguard audit head 1\n" + std::to_string(head.entries) + "\n" +
         std::to_string(head.bytes) + "\n" + head.hash;
}

}  // namespace

std::string FirstHash() {
  return std::string(kHashDigits, '0');
}

std::string EntryHash(std::string_view previous, std::string_view body) {
  std::string text = "safeguard audit 1\n";
  text += previous;
  text += "\n";
  text += body;
  return Blake2bHex(text);
}

std::string Line(std::string_view previous, const Json& body) {
  const std::string text = Dump(body);
  return EntryHash(previous, text) + " " + text;
}

std::optional<Entry> ReadLine(std::string_view line) {
  if (line.size() < kHashDigits + 3 || line.size() > kLineBytesMax || line[kHashDigits] != ' ' ||
      !IsHash(line.substr(0, kHashDigits))) {
    return std::nullopt;
  }
  Entry entry;
  entry.hash = line.substr(0, kHashDigits);
  entry.body = line.substr(kHashDigits + 1);
  entry.json = Json::parse(entry.body, nullptr, false);
  if (!entry.json.is_object()) {
    return std::nullopt;
  }
  entry.number = NumberAt(entry.json, "n");
  entry.kind = StringAt(entry.json, "kind");
  return entry;
}

Json Body(std::int64_t number, const std::string& kind) {
  return {{"n", static_cast<std::uint64_t>(number)}, {"at", UtcText(UtcNow())}, {"kind", kind}};
}

Json VerdictBody(std::int64_t number, const moderation::VerdictRecord& record,
                 const AuditOpening& opening) {
  Json body = Body(number, "verdict");
  body["judged_at"] = UtcText(record.when);
  body["policy"] = record.policy.id;
  body["version"] = record.policy.version;
  body["policy_hash"] = record.policy.hash;
  body["channel"] = moderation::ToString(record.channel);
  body["outcome"] = moderation::ToString(record.outcome);
  if (record.reason != moderation::UndeterminedReason::kNone) {
    body["reason"] = moderation::ToString(record.reason);
  }
  if (record.score) {
    body["score"] = *record.score;
  }
  body["category"] = record.category;
  body["rules"] = record.rule_ids;
  body["layer"] = record.layer;
  body["model"] = record.model;
  body["model_hash"] = record.model_hash;
  body["commitment"] = Commitment(opening);
  return body;
}

Json CheckpointBody(std::int64_t number, std::string_view previous, const SigningKey& key) {
  Json body = Body(number, "checkpoint");
  body["key"] = key.public_key;
  body["signature"] = Sign(key, SignedText(number, previous));
  return body;
}

bool IsSigned(const Entry& checkpoint, std::string_view previous) {
  return IsSignedBy(StringAt(checkpoint.json, "key"), SignedText(checkpoint.number, previous),
                    StringAt(checkpoint.json, "signature"));
}

std::string Commitment(const AuditOpening& opening) {
  const Json what = {opening.content_hash, opening.content_id, opening.surface, opening.language};
  return Blake2bHex("safeguard commitment 1\n" + opening.salt + "\n" + Dump(what));
}

AuditOpening NewOpening(std::int64_t number, const moderation::VerdictRecord& record) {
  return {number,         RandomHex(16),  record.content_hash, record.content_id,
          record.surface, record.language};
}

std::string OpeningLine(const AuditOpening& opening) {
  return Dump({{"n", static_cast<std::uint64_t>(opening.entry)},
               {"salt", opening.salt},
               {"content_hash", opening.content_hash},
               {"content_id", opening.content_id},
               {"surface", opening.surface},
               {"language", opening.language}});
}

std::optional<AuditOpening> ReadOpening(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || NumberAt(json, "n") == 0) {
    return std::nullopt;
  }
  return AuditOpening{
      NumberAt(json, "n"),          StringAt(json, "salt"),    StringAt(json, "content_hash"),
      StringAt(json, "content_id"), StringAt(json, "surface"), StringAt(json, "language")};
}

Head NewHead(std::int64_t entries, std::size_t bytes, const std::string& hash,
             const SigningKey& key) {
  Head head{entries, bytes, hash, key.public_key, ""};
  head.signature = Sign(key, SignedText(head));
  return head;
}

std::string HeadLine(const Head& head) {
  return Dump({{"entries", static_cast<std::uint64_t>(head.entries)},
               {"bytes", head.bytes},
               {"hash", head.hash},
               {"key", head.key},
               {"signature", head.signature}}) +
         "\n";
}

std::optional<Head> ReadHead(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) {
    return std::nullopt;
  }
  Head head{NumberAt(json, "entries"), static_cast<std::size_t>(NumberAt(json, "bytes")),
            StringAt(json, "hash"), StringAt(json, "key"), StringAt(json, "signature")};
  if (head.entries == 0 || !IsHash(head.hash)) {
    return std::nullopt;
  }
  return head;
}

bool IsSigned(const Head& head) {
  return IsSignedBy(head.key, SignedText(head), head.signature);
}

}  // namespace safeguard::storage::audit
