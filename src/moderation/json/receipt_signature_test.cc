// A signed receipt may be written anew, but not changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/signature.h"
#include "moderation/receipt.h"

namespace safeguard::moderation {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;
using Ordered = nlohmann::ordered_json;

VerdictRecord Judged() {
  VerdictRecord record;
  record.sequence = 12;
  record.when = 1764374400123;
  record.content_hash = std::string(64, 'a');
  record.content_id = "m\u00fcll";
  record.policy = {"spam", "3", std::string(64, 'b')};
  record.outcome = Outcome::kViolation;
  record.reason = UndeterminedReason::kNone;
  record.score = 0.1 + 0.2;
  record.rule_ids = {"SP2.a"};
  record.provenance.settings = {{"effort", "low"}, {"seed", "7"}};
  record.provenance.path = {
      {"screen", "", Outcome::kUndetermined, UndeterminedReason::kUncertain, 0.5, 2.5, "band"}};
  record.provenance.setup = R"({"build":{"version":"1"},"judge":{"judge":"screen","seed":0}})";
  return record;
}

class ReceiptSignatureTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string Signed() const {
    return SignedReceiptJson(
               Judged(),
               [this](std::string_view text) {
                 return std::optional(ReceiptSignature{key.public_key, Sign(key, text)});
               })
        .value();
  }
  static SignatureState StateOf(const std::string& text) {
    return CheckReceiptSignature(text)->state;
  }

  SigningKey key = NewSigningKey();
};

TEST_F(ReceiptSignatureTest, HoldsForWhatWasSignedHoweverItIsWritten) {
  const std::string receipt = Signed();
  EXPECT_EQ(CheckReceiptSignature(receipt)->key, key.public_key);
  EXPECT_EQ(StateOf(receipt), SignatureState::kValid);
  EXPECT_EQ(StateOf(Json::parse(receipt).dump()), SignatureState::kValid) << "sorted, in one line";
  const Result<VerdictRecord> read = ReceiptFromJson(receipt);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->score, 0.1 + 0.2);
  EXPECT_EQ(receipt.find(key.secret_key), std::string::npos);
}

// Every value of the document, at any depth, changed; every field taken out; one put in.
TEST_F(ReceiptSignatureTest, NoChangeIsOverlooked) {
  const Ordered whole = Ordered::parse(Signed());
  const Ordered flat = whole.flatten();
  std::size_t changes = 0;
  for (const auto& [pointer, value] : flat.items()) {
    if (pointer.starts_with("/signature")) {
      continue;
    }
    Ordered changed = whole;
    changed[Ordered::json_pointer(pointer)] = value == "changed" ? "again" : "changed";
    EXPECT_EQ(StateOf(changed.dump()), SignatureState::kWrong) << pointer;
    ++changes;
  }
  EXPECT_GT(changes, 25U);
  for (const auto& [name, value] : whole.items()) {
    Ordered without = whole;
    without.erase(name);
    EXPECT_EQ(StateOf(without.dump()),
              name == "signature" ? SignatureState::kNone : SignatureState::kWrong)
        << name;
  }
  Ordered more = whole;
  more["remark"] = "";
  EXPECT_EQ(StateOf(more.dump()), SignatureState::kWrong);
  Ordered rounded = whole;
  rounded["verdict"]["score"] = 0.3;
  EXPECT_EQ(StateOf(rounded.dump()), SignatureState::kWrong) << "to the last digit";
}

TEST_F(ReceiptSignatureTest, ASignatureIsOfItsKeyAlone) {
  Ordered receipt = Ordered::parse(Signed());
  receipt["signature"]["key"] = NewSigningKey().public_key;
  EXPECT_EQ(StateOf(receipt.dump()), SignatureState::kWrong);
  // Another signature of the same key is none of a receipt.
  receipt["signature"]["key"] = key.public_key;
  receipt["signature"]["value"] = Sign(key, "safeguard audit head 1\n");
  EXPECT_EQ(StateOf(receipt.dump()), SignatureState::kWrong);
  for (const Ordered& value :
       {Ordered(true), Ordered("x"), Ordered::object(), Ordered({{"key", 1}}),
        Ordered({{"algorithm", "none"}, {"key", key.public_key}, {"value", ""}})}) {
    receipt["signature"] = value;
    EXPECT_EQ(StateOf(receipt.dump()), SignatureState::kWrong) << value;
  }
}

TEST_F(ReceiptSignatureTest, WithoutAKeyItIsNotSignedAndAnUnusableKeyIsAnError) {
  const auto none = [](std::string_view) { return std::optional<ReceiptSignature>(); };
  EXPECT_EQ(StateOf(SignedReceiptJson(Judged(), none).value()), SignatureState::kNone);
  EXPECT_EQ(SignedReceiptJson(Judged(), nullptr).value(), ReceiptJson(Judged()));
  const auto broken = [](std::string_view) -> Result<std::optional<ReceiptSignature>> {
    return Fail(ErrorCode::kCorruptFile, "the key is none");
  };
  EXPECT_THAT(SignedReceiptJson(Judged(), broken).error().message, HasSubstr("the key is none"));
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("\xff"), std::string(100'000, '[')}) {
    EXPECT_FALSE(CheckReceiptSignature(text));
  }
}

}  // namespace
}  // namespace safeguard::moderation
