// What the readers here share.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/result.h"
#include "moderation/verdict_log.h"

namespace safeguard::moderation::json {

// Text that is not UTF-8 comes out with U+FFFD, never as an error.
std::string Dump(const nlohmann::ordered_json& json);

std::unexpected<Error> Unreadable();

bool HasText(const nlohmann::json& object, const char* field);
bool HasNumber(const nlohmann::json& object, const char* field);
// The field's list of texts; nothing when it is none.
std::optional<std::vector<std::string>> Texts(const nlohmann::json& object, const char* field);

nlohmann::ordered_json ObjectOf(const Content& content);
Result<Content> ContentOf(const nlohmann::json& object);
nlohmann::ordered_json ObjectOf(const EarlierVerdict& verdict);
Result<EarlierVerdict> EarlierOf(const nlohmann::json& object);
// All of it but the setup.
nlohmann::ordered_json ObjectOf(const Provenance& provenance);
Result<Provenance> ProvenanceOf(const nlohmann::json& object);
nlohmann::ordered_json ObjectOf(const PolicyReference& policy);
Result<PolicyReference> PolicyOf(const nlohmann::json& object);

}  // namespace safeguard::moderation::json
