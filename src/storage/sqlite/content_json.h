// Content, rule ids and earlier verdicts as the JSON that verdicts.db keeps.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/content.h"
#include "moderation/verdict_log.h"

namespace safeguard::storage {

// Kind and messages alone; the rest stands in columns of its own.
std::string ContentJson(const moderation::Content& content);
Result<moderation::Content> ContentFromJson(std::string_view json);

std::string ListJson(const std::vector<std::string>& list);
Result<std::vector<std::string>> ListFromJson(std::string_view json);

std::string EarlierJson(const moderation::EarlierVerdict& verdict);
Result<moderation::EarlierVerdict> EarlierFromJson(std::string_view json);

}  // namespace safeguard::storage
