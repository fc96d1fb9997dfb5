#include <utility>

#include "base/json_depth.h"
#include "base/signature.h"
#include "moderation/json/json_fields.h"
#include "moderation/receipt.h"

namespace safeguard::moderation {
namespace {

constexpr const char* kAlgorithm = "Ed25519";
constexpr const char* kField = "signature";
constexpr std::size_t kDepthMax = 16;

// nlohmann::json keeps an object's fields sorted.
std::string SignedText(nlohmann::json receipt) {
  receipt.erase(kField);
  return "safeguard receipt 1\n" + receipt.dump();
}

}  // namespace

Result<std::string> SignedReceiptJson(const VerdictRecord& record, const ReceiptSigner& sign) {
  std::string text = ReceiptJson(record);
  if (!sign) {
    return text;
  }
  const Result<std::optional<ReceiptSignature>> signature =
      sign(SignedText(nlohmann::json::parse(text)));
  if (!signature) {
    return std::unexpected(signature.error());
  }
  if (!*signature) {
    return text;
  }
  auto receipt = nlohmann::ordered_json::parse(text);
  receipt[kField] = {
      {"algorithm", kAlgorithm}, {"key", (*signature)->key}, {"value", (*signature)->value}};
  return receipt.dump(2) + "\n";
}

Result<SignatureCheck> CheckReceiptSignature(std::string_view text) {
  const bool readable = text.size() <= kReceiptBytesMax && JsonDepth(text) <= kDepthMax;
  const auto receipt = nlohmann::json::parse(readable ? text : "", nullptr, false);
  if (!receipt.is_object()) {
    return Fail(ErrorCode::kInvalidInput, "this is no receipt: it is no JSON object",
                "give the JSON that `safeguard verdicts receipt ID` prints, as it is");
  }
  const auto found = receipt.find(kField);
  if (found == receipt.end() || found->is_null()) {
    return SignatureCheck{};
  }
  SignatureCheck check{SignatureState::kWrong, ""};
  if (!json::HasText(*found, "algorithm") || !json::HasText(*found, "key") ||
      !json::HasText(*found, "value") || (*found)["algorithm"] != kAlgorithm) {
    return check;
  }
  check.key = (*found)["key"].get<std::string>();
  if (IsSignedBy(check.key, SignedText(receipt), (*found)["value"].get<std::string>())) {
    check.state = SignatureState::kValid;
  }
  return check;
}

}  // namespace safeguard::moderation
