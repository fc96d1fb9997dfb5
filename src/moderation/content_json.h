// Content, rule ids and verdicts as the JSON that stores keep. Reading fails with kCorruptFile and
// never guesses; the caller adds whose file it was.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/content.h"
#include "moderation/verdict_log.h"

namespace safeguard::moderation {

// Kind and messages alone: what ContentHash() is of.
std::string ContentJson(const Content& content);
Result<Content> ContentFromJson(std::string_view json);

std::string ListJson(const std::vector<std::string>& list);
Result<std::vector<std::string>> ListFromJson(std::string_view json);

std::string EarlierJson(const EarlierVerdict& verdict);
Result<EarlierVerdict> EarlierFromJson(std::string_view json);

// All of a record but its sequence and its content.
std::string RecordsJson(const std::vector<VerdictRecord>& records);
Result<std::vector<VerdictRecord>> RecordsFromJson(std::string_view json);

}  // namespace safeguard::moderation
