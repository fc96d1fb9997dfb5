#include "apps/output/verdict_json.h"

#include "http/domain_json.h"

namespace safeguard::apps {

nlohmann::ordered_json VerdictJson(const moderation::Verdict& verdict,
                                   moderation::ContentKind kind) {
  return http::VerdictJson(verdict, kind);
}

nlohmann::ordered_json RoutedVerdictJson(const moderation::Verdict& verdict,
                                         moderation::Channel channel,
                                         moderation::ContentKind kind) {
  return http::RoutedVerdictJson(verdict, channel, kind);
}

std::string JsonLine(const nlohmann::ordered_json& object) {
  return http::JsonLine(object);
}

std::string JsonText(const nlohmann::ordered_json& object) {
  return http::JsonText(object);
}

}  // namespace safeguard::apps
