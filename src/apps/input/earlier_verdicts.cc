#include "apps/input/earlier_verdicts.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

namespace safeguard::apps {
namespace {

using moderation::Outcome;

std::optional<Outcome> OutcomeFrom(const std::string& text) {
  for (const Outcome outcome : {Outcome::kViolation, Outcome::kSafe, Outcome::kUndetermined}) {
    if (text == moderation::ToString(outcome)) {
      return outcome;
    }
  }
  return std::nullopt;
}

std::unexpected<Error> BadLine(std::size_t number, const std::string& what) {
  return Fail(ErrorCode::kInvalidInput, "line " + std::to_string(number) + ": " + what,
              "give the output of `safeguard batch` or `safeguard backtest`");
}

}  // namespace

Status EarlierVerdicts::Add(const std::string& line, std::size_t number,
                            const std::string& policy_id, std::string& others) {
  const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("outcome") || !json["outcome"].is_string()) {
    return BadLine(number, "is no verdict: it has no \"outcome\"");
  }
  const std::optional<Outcome> outcome = OutcomeFrom(json["outcome"].get<std::string>());
  if (!outcome) {
    return BadLine(number, "has the outcome " + json["outcome"].dump());
  }
  if (json.contains("policy") && json["policy"].is_string() && json["policy"] != policy_id) {
    const auto other = json["policy"].get<std::string>();
    if (others.size() < 200 && others.find(other) == std::string::npos) {
      others += (others.empty() ? "" : ", ") + other;
    }
    return {};
  }
  EarlierVerdict verdict;
  verdict.outcome = *outcome;
  if (json.contains("score") && json["score"].is_number()) {
    const double score = json["score"].get<double>();
    if (!(score >= 0 && score <= 1)) {
      return BadLine(number, "has a score that is not from 0 to 1");
    }
    verdict.score = score;
  }
  if (json.contains("rule_ids") && json["rule_ids"].is_array()) {
    for (const nlohmann::json& rule : json["rule_ids"]) {
      if (rule.is_string()) {
        verdict.rule_ids.push_back(rule.get<std::string>());
      }
    }
  }
  bool fresh = true;
  if (json.contains("id") && json["id"].is_string()) {
    fresh = by_id_.try_emplace(json["id"].get<std::string>(), std::move(verdict)).second;
  } else if (json.contains("line") && json["line"].is_number_unsigned()) {
    fresh = by_line_.try_emplace(json["line"].get<std::uint64_t>(), std::move(verdict)).second;
  } else {
    return BadLine(number, "names no content: it has neither \"id\" nor \"line\"");
  }
  return fresh ? Status{} : BadLine(number, "is the second verdict of the same content");
}

Result<EarlierVerdicts> EarlierVerdicts::Read(const std::string& path,
                                              const std::string& policy_id) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return Fail(ErrorCode::kNotFound, "cannot read " + path + ": " + std::strerror(errno));
  }
  EarlierVerdicts verdicts;
  std::string others;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.size() > eval::kLineBytesMax) {
      return Fail(ErrorCode::kLimit, path + ", line " + std::to_string(number) + " is too long");
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    if (Status added = verdicts.Add(line, number, policy_id, others); !added) {
      Error error = added.error();
      error.message = path + ", " + error.message;
      return std::unexpected(std::move(error));
    }
  }
  if (in.bad()) {
    return Fail(ErrorCode::kUnavailable, "cannot read " + path);
  }
  if (verdicts.size() == 0) {
    return Fail(ErrorCode::kInvalidInput, path + " has no verdict of the policy " + policy_id,
                others.empty() ? "" : "there are some of " + others);
  }
  return verdicts;
}

const EarlierVerdict* EarlierVerdicts::Find(const eval::Record& record) const {
  if (!record.content.id.empty()) {
    const auto found = by_id_.find(record.content.id);
    return found == by_id_.end() ? nullptr : &found->second;
  }
  const auto found = by_line_.find(record.line);
  return found == by_line_.end() ? nullptr : &found->second;
}

}  // namespace safeguard::apps
