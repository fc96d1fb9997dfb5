#include "moderation/verdict_log.h"

#include <algorithm>
#include <iterator>

#include "base/hash.h"

namespace safeguard::moderation {

std::string ContentHash(const Content& content) {
  // Lengths before texts: no two contents are written the same.
  std::string bytes = ToString(content.kind);
  for (const Message& message : content.messages) {
    bytes += '\n';
    bytes += ToString(message.role);
    bytes += ' ' + std::to_string(message.text.size()) + ' ' + message.text;
  }
  return Blake2bHex(bytes);
}

VerdictRecord RecordOf(const Verdict& verdict, const Content& content, Channel channel, TimeMs when,
                       bool keep_content) {
  VerdictRecord record;
  record.when = when;
  record.content_hash = ContentHash(content);
  if (keep_content) {
    record.content = content;
  }
  record.content_id = content.id;
  record.surface = content.surface;
  record.language = content.language;
  record.policy = verdict.policy;
  record.channel = channel;
  record.outcome = verdict.outcome;
  record.reason = verdict.reason;
  record.score = verdict.score;
  record.category = verdict.category;
  record.rule_ids = verdict.rule_ids;
  record.layer = verdict.decided_by.layer;
  record.model = verdict.decided_by.model;
  record.model_hash = verdict.decided_by.model_hash;
  record.provenance = {verdict.decided_by.settings, verdict.path, ""};
  return record;
}

EarlierVerdict EarlierOf(const Verdict& verdict) {
  return {verdict.outcome, verdict.reason, verdict.score, verdict.rule_ids,
          verdict.decided_by.layer};
}

VerdictChange ChangeFrom(const EarlierVerdict& earlier, const VerdictRecord& later) {
  VerdictChange change;
  change.outcome = earlier.outcome != later.outcome;
  if (earlier.score && later.score) {
    change.score = *later.score - *earlier.score;
  }
  const auto without = [](const std::vector<std::string>& rules,
                          const std::vector<std::string>& known) {
    std::vector<std::string> rest;
    std::ranges::copy_if(rules, std::back_inserter(rest), [&](const std::string& rule) {
      return std::ranges::find(known, rule) == known.end();
    });
    return rest;
  };
  change.rules_added = without(later.rule_ids, earlier.rule_ids);
  change.rules_dropped = without(earlier.rule_ids, later.rule_ids);
  return change;
}

Status CheckQuery(const VerdictQuery& query) {
  if (query.limit < 1 || query.limit > kVerdictPageMax) {
    return Fail(ErrorCode::kLimit,
                "a page of verdicts has 1 to " + std::to_string(kVerdictPageMax) + " records");
  }
  if (query.policy_id.empty() && !query.policy_version.empty()) {
    return Fail(ErrorCode::kInvalidInput, "a version without its policy says nothing",
                "name the policy too");
  }
  return {};
}

const char* ToString(Channel channel) {
  switch (channel) {
    case Channel::kDirect:
      return "direct";
    case Channel::kActive:
      return "active";
    case Channel::kCanary:
      return "canary";
    case Channel::kShadow:
      return "shadow";
  }
  return "direct";
}

std::optional<Channel> ChannelFrom(std::string_view text) {
  for (const Channel channel :
       {Channel::kDirect, Channel::kActive, Channel::kCanary, Channel::kShadow}) {
    if (text == ToString(channel)) {
      return channel;
    }
  }
  return std::nullopt;
}

Result<std::optional<VerdictRecord>> FindVerdict(VerdictLog& log, std::int64_t sequence) {
  VerdictQuery query;
  query.after = sequence - 1;
  query.limit = 1;
  Result<VerdictPage> page = log.Scan(query);
  if (!page) {
    return std::unexpected(page.error());
  }
  if (page->records.empty() || page->records.front().sequence != sequence) {
    return std::nullopt;
  }
  return std::move(page->records.front());
}

}  // namespace safeguard::moderation
