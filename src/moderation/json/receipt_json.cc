#include <utility>

#include "base/json_depth.h"
#include "base/utc_time.h"
#include "moderation/json/json_fields.h"
#include "moderation/receipt.h"

namespace safeguard::moderation {
namespace {

using json::HasText;

constexpr int kForm = 1;
constexpr std::size_t kDepthMax = 16;

std::unexpected<Error> NoReceipt(const std::string& what) {
  return Fail(ErrorCode::kInvalidInput, "this is no receipt: " + what,
              "give the JSON that `safeguard verdicts receipt ID` prints, as it is");
}

nlohmann::ordered_json VerdictObject(const VerdictRecord& record) {
  nlohmann::ordered_json verdict = {{"outcome", ToString(record.outcome)}, {"reason", nullptr}};
  if (record.outcome == Outcome::kUndetermined) {
    verdict["reason"] = ToString(record.reason);
  }
  verdict["score"] = nullptr;
  if (record.score) {
    verdict["score"] = *record.score;
  }
  verdict["category"] = record.category;
  verdict["rule_ids"] = record.rule_ids;
  verdict["layer"] = record.layer;
  verdict["channel"] = ToString(record.channel);
  return verdict;
}

// The texts of an object's fields; the first that is not there is told.
Status TakeTexts(const nlohmann::json& receipt, const char* part,
                 std::initializer_list<std::pair<const char*, std::string*>> fields) {
  for (const auto& [field, value] : fields) {
    if (!receipt.contains(part) || !HasText(receipt[part], field)) {
      return NoReceipt(std::string(part) + "." + field + " is no text");
    }
    *value = receipt[part][field].get<std::string>();
  }
  return {};
}

Status TakeVerdict(const nlohmann::json& receipt, VerdictRecord& record) {
  std::string outcome;
  std::string channel;
  Status taken = TakeTexts(receipt, "verdict",
                           {{"outcome", &outcome},
                            {"channel", &channel},
                            {"category", &record.category},
                            {"layer", &record.layer}});
  if (!taken) {
    return taken;
  }
  const nlohmann::json& verdict = receipt["verdict"];
  const auto known_outcome = OutcomeFrom(outcome);
  const auto known_channel = ChannelFrom(channel);
  const std::string reason = HasText(verdict, "reason") ? verdict["reason"].get<std::string>() : "";
  const auto known_reason = UndeterminedReasonFrom(reason);
  auto rules = json::Texts(verdict, "rule_ids");
  if (!known_outcome || !known_channel || !known_reason || !rules) {
    return NoReceipt("outcome, reason, channel or rule_ids of the verdict cannot be read");
  }
  record.outcome = *known_outcome;
  record.reason = *known_reason;
  record.channel = *known_channel;
  record.rule_ids = std::move(*rules);
  if (json::HasNumber(verdict, "score")) {
    record.score = verdict["score"].get<double>();
  }
  return {};
}

}  // namespace

std::string ReceiptJson(const VerdictRecord& record) {
  nlohmann::ordered_json provenance = json::ObjectOf(record.provenance);
  nlohmann::ordered_json receipt = {
      {"receipt", kForm},
      {"sequence", record.sequence},
      {"when", UtcText(record.when)},
      {"verdict", VerdictObject(record)},
      {"content",
       {{"hash", record.content_hash},
        {"id", record.content_id},
        {"surface", record.surface},
        {"language", record.language}}},
      {"policy", json::ObjectOf(record.policy)},
      {"model", {{"name", record.model}, {"hash", record.model_hash}}},
      {"settings", std::move(provenance["settings"])},
      {"path", std::move(provenance["path"])},
      {"setup", nullptr},
      {"signature", nullptr}};
  auto setup = nlohmann::ordered_json::parse(record.provenance.setup, nullptr, false);
  if (setup.is_object()) {
    receipt["setup"] = std::move(setup);
  }
  return receipt.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<VerdictRecord> ReceiptFromJson(std::string_view text) {
  if (text.size() > kReceiptBytesMax || JsonDepth(text) > kDepthMax) {
    return NoReceipt("it is larger than any");
  }
  const auto receipt = nlohmann::json::parse(text, nullptr, false);
  if (!receipt.is_object() || !receipt.contains("receipt")) {
    return NoReceipt("it is no JSON object with \"receipt\"");
  }
  if (receipt["receipt"] != kForm) {
    return Fail(ErrorCode::kInvalidInput, "this receipt has a form that this build does not know",
                "use the build that wrote it, or a newer one");
  }
  VerdictRecord record;
  Status taken = TakeVerdict(receipt, record);
  const auto take = [&](const char* part, auto fields) {
    taken = taken ? TakeTexts(receipt, part, fields) : taken;
  };
  using Fields = std::initializer_list<std::pair<const char*, std::string*>>;
  take("content", Fields{{"hash", &record.content_hash},
                         {"id", &record.content_id},
                         {"surface", &record.surface},
                         {"language", &record.language}});
  take("policy", Fields{{"id", &record.policy.id},
                        {"version", &record.policy.version},
                        {"hash", &record.policy.hash}});
  take("model", Fields{{"name", &record.model}, {"hash", &record.model_hash}});
  if (!taken) {
    return std::unexpected(taken.error());
  }
  const auto when = ParseUtc(HasText(receipt, "when") ? receipt["when"].get<std::string>() : "");
  if (!when || !receipt.contains("sequence") || !receipt["sequence"].is_number_integer()) {
    return NoReceipt("when or sequence cannot be read");
  }
  record.when = *when;
  record.sequence = receipt["sequence"].get<std::int64_t>();
  Result<Provenance> provenance = json::ProvenanceOf(receipt);
  if (!provenance) {
    return NoReceipt("settings or path cannot be read");
  }
  record.provenance = std::move(*provenance);
  if (receipt.contains("setup") && receipt["setup"].is_object()) {
    // In the order in which it was written.
    record.provenance.setup = json::Dump(nlohmann::ordered_json::parse(text)["setup"]);
  }
  return record;
}

}  // namespace safeguard::moderation
