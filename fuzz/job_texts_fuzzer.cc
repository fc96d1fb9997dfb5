// Arbitrary bytes as what a queue carries and as what a webhook is configured with.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "http/webhook/address_rule.h"
#include "http/webhook_sender.h"
#include "http/webhook_signature.h"
#include "moderation/content_json.h"
#include "moderation/judgement_job.h"

namespace moderation = safeguard::moderation;
namespace http = safeguard::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto judgement = moderation::JudgementFromJson(text)) {
    CHECK(!judgement->policies.empty());
    const auto job = moderation::JobOf(*judgement);
    CHECK(!job || moderation::JudgementFromJson(job->payload).has_value());
  }
  if (const auto notice = moderation::NoticeFromJson(text)) {
    CHECK(moderation::NoticeFromJson(moderation::NoticeJson(*notice)).has_value());
  }
  if (const auto records = moderation::RecordsFromJson(text)) {
    CHECK(moderation::RecordsFromJson(moderation::RecordsJson(*records)).has_value());
  }
  if (const auto secrets = http::ReadSecrets(text)) {
    const std::string signature = http::SignWebhook(*secrets, "id", 1, text);
    CHECK(http::VerifyWebhook(*secrets, "id", "1", signature, text, 1));
  }
  CHECK(!http::VerifyWebhook({std::string(32, 's')}, "id", "1", text, "body", 1));
  CHECK(!http::VerifyWebhook({std::string(32, 's')}, "id", text, "v1,", "body", 1));
  if (const auto range = http::AddressRange::Parse(text)) {
    CHECK(range->Contains(range->first));
    CHECK(http::AddressRange::Parse(range->first.Text()).has_value());
  }
  static_cast<void>(http::CheckWebhookUrl(text));
  return 0;
}
