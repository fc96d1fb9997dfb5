// Receipt: one verdict with all that is needed to compute it again, as a JSON document that stands
// alone. It holds the content's hash, not the content: whoever checks it must have the content.
//
//   receipt    1
//   sequence, when
//   verdict    outcome, reason, score, category, rule_ids, layer, channel; path where there was one
//   content    hash: ContentHash(); id, surface, language
//   policy     id, version, hash
//   model      name, hash: SHA-256 of its weights
//   settings   prompt template, effort, sampling, calibration; hashes of the reasoner's token ids
//   setup      build, kernels, and the judge's options; null of a verdict from before receipts
//   signature  algorithm, key, value: of whoever exported it, over all the rest; null without a key
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "moderation/policy.h"
#include "moderation/verdict_log.h"

namespace safeguard::moderation {

inline constexpr std::size_t kReceiptBytesMax = std::size_t{1} << 20;

// Indented, not signed. The record's content and key are left out.
std::string ReceiptJson(const VerdictRecord& record);
// kInvalidInput: this is no receipt, or of a later form; says which field is at fault. The
// signature is not looked at.
Result<VerdictRecord> ReceiptFromJson(std::string_view json);

// An Ed25519 signature, in lower-case hexadecimal (base/signature.h).
struct ReceiptSignature {
  std::string key;    // the public one, 64 digits
  std::string value;  // 128 digits
};

// Signs a text with the key of whoever exports. Nothing: there is no key. An error: there is one
// that cannot be used.
using ReceiptSigner = std::function<Result<std::optional<ReceiptSignature>>(std::string_view text)>;

// ReceiptJson() with its signature, where `sign` is set and has a key. What is signed is the text
// "safeguard receipt 1" LF and the document without its signature, as JSON without white space,
// fields in the order of their bytes, numbers with as many digits as they need: the document may be
// indented or ordered anew.
Result<std::string> SignedReceiptJson(const VerdictRecord& record, const ReceiptSigner& sign);

enum class SignatureState {
  kNone,   // the receipt is not signed
  kValid,  // by the key that it names: whose that is, the reader must know
  kWrong,  // it is not as it was signed
};

struct SignatureCheck {
  SignatureState state = SignatureState::kNone;
  std::string key;  // that the receipt names, by its own word; empty: none
};

// kInvalidInput: this is no receipt.
Result<SignatureCheck> CheckReceiptSignature(std::string_view json);

// Of a verdict that was one of several in one prompt, DecidedBy::settings tell all the policies of
// the prompt in their order, ids and hashes: the answer depends on each. Of any other verdict they
// tell none.
std::pair<std::string, std::string> JointPoliciesSetting(std::span<const Policy* const> policies);
// kInvalidInput: there are some that cannot be read, or more than kJointPoliciesMax. Their versions
// are empty.
Result<std::vector<PolicyReference>> JointPoliciesOf(
    const std::map<std::string, std::string>& settings);

inline constexpr std::size_t kJointPoliciesMax = 1024;

// Settings and path: the setup, which many verdicts share, is left out.
std::string ProvenanceJson(const Provenance& provenance);
Result<Provenance> ProvenanceFromJson(std::string_view json);

struct ReceiptDifference {
  std::string what;  // "outcome", "score", "settings.effort", "build.commit", ...
  std::string then;
  std::string now;

  friend bool operator==(const ReceiptDifference&, const ReceiptDifference&) = default;
};

// Where the second verdict is another one than the first: everything but times, ids and setup.
// Scores are equal when they are the same number.
std::vector<ReceiptDifference> CompareVerdicts(const VerdictRecord& then, const VerdictRecord& now);
// Where the judges' setups differ, but for the options ("judge"): build and kernels.
// REQUIRES: each is a JSON object, as ReceiptFromJson() has seen to, or empty.
std::vector<ReceiptDifference> CompareSetups(const std::string& then, const std::string& now);

}  // namespace safeguard::moderation
