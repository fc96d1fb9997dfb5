// A request's body as what it asks for. Everything from outside passes here: sizes, depth, UTF-8,
// unknown fields and wrong types are problems that name the field and say what belongs there.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/problem.h"
#include "moderation/content.h"

namespace safeguard::http {

inline constexpr std::size_t kContentsMax = 256;   // of one request
inline constexpr std::size_t kMessagesMax = 1024;  // of one conversation
inline constexpr std::size_t kPoliciesMax = 64;    // of one request
inline constexpr int kTimeoutMsMax = 60'000;
inline constexpr double kPriorityMax = 1e6;
inline constexpr double kJobDeadlineMsMax = 30.0 * 24 * 3600 * 1000;

class Fields;

// The fields of a content (text or messages, role, id, surface, language) where they stand among
// others. `pointer` is the place of their object in the body.
moderation::Content ReadContent(Fields& fields, const std::string& pointer);

// What /v1/judge and /v1/judge/batch are asked.
struct JudgeQuestion {
  std::vector<moderation::Content> contents;  // at least one; of /v1/judge exactly one
  std::vector<std::string> policies;          // empty: the default ones, or the route's
  std::string route;                          // empty: none
  std::string account;
  std::optional<std::chrono::milliseconds> timeout;
  bool include_reasoning = false;
  bool stream = false;  // of /v1/judge: reasoning as it is thought, then the answer
};

OrProblem<JudgeQuestion> ReadJudgeQuestion(std::string_view body);
OrProblem<JudgeQuestion> ReadBatchQuestion(std::string_view body);

// What /v1/jobs and /v1/jobs/batch are asked.
struct JobQuestion {
  std::vector<moderation::Content> contents;  // at least one; of /v1/jobs exactly one
  std::vector<std::string> policies;          // empty: the default ones, or the route's
  std::string route;                          // empty: none
  std::string account;
  std::string webhook;                                // empty: nobody is told
  double priority = 0;                                // higher goes first
  std::optional<std::chrono::milliseconds> deadline;  // from now; after it the job is given up
};

enum class JobContents { kOne, kMany };
OrProblem<JobQuestion> ReadJobQuestion(std::string_view body, JobContents contents);

// What /v1/moderations is asked: OpenAI's shape, and beyond it "safety".
struct ModerationQuestion {
  enum class OnUndetermined { kFlag, kError, kPass };
  std::vector<moderation::Content> contents;  // one a result
  std::string model;                          // as asked for; may be empty
  std::vector<std::string> own_policies;      // "safety": {"policies": [...]}
  OnUndetermined on_undetermined = OnUndetermined::kFlag;
};

OrProblem<ModerationQuestion> ReadModerationQuestion(std::string_view body);

struct PublishQuestion {
  std::string id;  // empty: the policy's own
  std::string text;
  std::string golden;
  std::string note;
};
OrProblem<PublishQuestion> ReadPublishQuestion(std::string_view body);

struct PromoteQuestion {
  std::string to;
  std::optional<double> percent;
  std::string note;
  bool force = false;  // although the check of the policy finds errors
};
OrProblem<PromoteQuestion> ReadPromoteQuestion(std::string_view body);

// {"note": "..."} or nothing at all.
OrProblem<std::string> ReadNote(std::string_view body);

// "a=1&b=x%20y", decoded. Unknown names (those not in `known`) and repeated ones are problems.
OrProblem<std::map<std::string, std::string>> ReadQuery(std::string_view query,
                                                        const std::vector<std::string>& known);

// %XX decoded; nothing when it is not well-formed or holds a NUL.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space);

}  // namespace safeguard::http
