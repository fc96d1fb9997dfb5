#include "apps/receipt/signature_report.h"

#include <algorithm>
#include <vector>

#include "apps/input/public_key.h"
#include "apps/output/display_text.h"

namespace safeguard::apps {

using moderation::SignatureState;

nlohmann::ordered_json SignatureReport::Json() const {
  const bool valid = check.state == SignatureState::kValid;
  nlohmann::ordered_json json = {
      {"state", check.state == SignatureState::kNone    ? "not signed"
                : check.state == SignatureState::kWrong ? "does not match"
                : good                                  ? "valid"
                                                        : "another key"},
      {"key", nullptr},
      {"trusted", trusted}};
  if (valid) {
    json["key"] = check.key;
  }
  return json;
}

Result<SignatureReport> CheckSignature(std::string_view receipt,
                                       std::span<const std::string> keys) {
  std::vector<std::string> trusted;
  for (const std::string& key : keys) {
    Result<std::string> read = ReadPublicKey(key);
    if (!read) {
      return std::unexpected(read.error());
    }
    trusted.push_back(std::move(*read));
  }
  Result<moderation::SignatureCheck> check = moderation::CheckReceiptSignature(receipt);
  if (!check) {
    return std::unexpected(check.error());
  }
  SignatureReport report;
  report.check = std::move(*check);
  const std::string key = Printable(report.check.key);
  switch (report.check.state) {
    case SignatureState::kNone:
      report.good = trusted.empty();
      report.text = report.good ? "Not signed: nothing says who exported this receipt.\n"
                                : "THE RECEIPT IS NOT SIGNED, and a trusted key was named.\n";
      break;
    case SignatureState::kWrong:
      report.good = false;
      report.text = "THE SIGNATURE DOES NOT MATCH: the receipt is not as it was exported.\n";
      break;
    case SignatureState::kValid:
      report.trusted = std::ranges::find(trusted, report.check.key) != trusted.end();
      report.good = report.trusted || trusted.empty();
      report.text = report.trusted ? "Signature valid, by the trusted key " + key + "\n"
                    : report.good
                        ? "Signature valid, by the receipt's own word for the key " + key +
                              "; name the one that you trust with --key\n"
                        : "THE SIGNATURE IS ANOTHER'S: the key " + key + " is not trusted.\n";
      break;
  }
  return report;
}

}  // namespace safeguard::apps
