// `safeguard jobs list|dead|show|retry`.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/input/data_folder.h"
#include "apps/output/display_text.h"
#include "apps/output/job_json.h"
#include "apps/output/record_json.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "base/utc_time.h"
#include "moderation/content_json.h"
#include "moderation/judgement_job.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using moderation::Job;
using moderation::JobQueue;
using moderation::JobState;

Result<std::unique_ptr<JobQueue>> OpenQueue(const std::string& data_dir) {
  const Result<std::string> folder = DataFolder(data_dir);
  if (!folder) {
    return std::unexpected(folder.error());
  }
  return storage::OpenJobQueue(*folder, {}, {});
}

// "2026-11-28 19:30:01"
std::string TimeText(moderation::TimeMs when) {
  std::string text = UtcText(when).substr(0, 19);
  text[10] = ' ';
  return text;
}

Style StyleOf(JobState state) {
  switch (state) {
    case JobState::kDone:
      return Style::kGreen;
    case JobState::kDead:
      return Style::kRed;
    case JobState::kLeased:
      return Style::kYellow;
    case JobState::kWaiting:
      break;
  }
  return Style::kPlain;
}

std::string JobTable(const std::vector<Job>& jobs, std::size_t width, bool color) {
  std::vector<std::vector<Cell>> rows;
  for (const Job& job : jobs) {
    const bool open = job.state == JobState::kWaiting || job.state == JobState::kLeased;
    rows.push_back({{job.id, Style::kBold},
                    {job.what.kind},
                    {ToString(job.state), StyleOf(job.state)},
                    {fmt::format("{}/{}", job.attempts, job.what.attempts_max)},
                    {TimeText(open ? job.due : job.changed), Style::kDim},
                    {Printable(job.problem)}});
  }
  return RenderTable({{"JOB"},
                      {"KIND"},
                      {"STATE"},
                      {"ATTEMPTS", true, false},
                      {"DUE OR ENDED (UTC)"},
                      {"PROBLEM", false, true}},
                     rows, width, color);
}

// At most `limit` of what the query asks for.
Result<std::vector<Job>> Pages(JobQueue& queue, moderation::JobQuery query, std::size_t limit) {
  std::vector<Job> jobs;
  while (jobs.size() < limit) {
    query.limit = std::min(limit - jobs.size(), moderation::kJobPageMax);
    Result<moderation::JobPage> page = queue.List(query);
    if (!page) {
      return std::unexpected(page.error());
    }
    std::ranges::move(page->jobs, std::back_inserter(jobs));
    if (page->end) {
      break;
    }
    query.after = page->next;
  }
  return jobs;
}

nlohmann::ordered_json ProvisionalJson(const moderation::JudgedPolicy& policy) {
  nlohmann::ordered_json json = {{"policy", policy.policy.id},
                                 {"policy_version", policy.policy.version},
                                 {"policy_hash", policy.policy.hash},
                                 {"outcome", ToString(policy.provisional.outcome)},
                                 {"reason", nullptr},
                                 {"score", nullptr},
                                 {"rule_ids", policy.provisional.rule_ids},
                                 {"decided_by", policy.provisional.layer},
                                 {"provisional", true}};
  if (policy.provisional.outcome == moderation::Outcome::kUndetermined) {
    json["reason"] = ToString(policy.provisional.reason);
  }
  if (policy.provisional.score) {
    json["score"] = *policy.provisional.score;
  }
  return json;
}

// The final verdicts where they are there, else the provisional ones.
Result<nlohmann::ordered_json> VerdictsJson(const Job& job) {
  nlohmann::ordered_json verdicts = nlohmann::ordered_json::array();
  const std::string& final_ones = job.state == JobState::kDone ? job.result : job.progress;
  if (!final_ones.empty()) {
    const auto records = moderation::RecordsFromJson(final_ones);
    if (!records) {
      return std::unexpected(records.error());
    }
    for (const moderation::VerdictRecord& record : *records) {
      nlohmann::ordered_json json = RecordJson(record);
      json.erase("sequence");
      verdicts.push_back(std::move(json));
    }
    return verdicts;
  }
  const auto judgement = moderation::JudgementFromJson(job.what.payload);
  if (!judgement) {
    return std::unexpected(judgement.error());
  }
  for (const moderation::JudgedPolicy& policy : judgement->policies) {
    verdicts.push_back(ProvisionalJson(policy));
  }
  return verdicts;
}

std::string ScoreText(const nlohmann::ordered_json& verdict) {
  return verdict["score"].is_number() ? fmt::format(" {:.2f}", verdict["score"].get<double>()) : "";
}

std::string RulesText(const nlohmann::ordered_json& verdict) {
  std::string text;
  for (const auto& rule : verdict["rule_ids"]) {
    text += (text.empty() ? " " : ", ") + Printable(rule.get<std::string>());
  }
  return text;
}

// "spam: undetermined uncertain 0.52 (screen) -> violation 0.91 SP1 (reasoner)"
std::string VerdictLine(const nlohmann::ordered_json& verdict) {
  const auto one = [](const nlohmann::ordered_json& part) {
    const std::string reason =
        part["reason"].is_string() ? " " + part["reason"].get<std::string>() : "";
    return part["outcome"].get<std::string>() + reason + ScoreText(part) + RulesText(part) + " (" +
           Printable(part["decided_by"].get<std::string>()) + ")";
  };
  std::string line = "  " + Printable(verdict["policy"].get<std::string>()) + ": ";
  const auto earlier = verdict.find("provisional");
  const bool final_one = earlier != verdict.end() && earlier->is_object();
  if (final_one) {
    line += one(*earlier) + " -> ";
  }
  return line + one(verdict) + (final_one ? "" : ", provisional") + "\n";
}

}  // namespace

ExitCode RunJobsList(const JobsListArguments& arguments, Console& console) {
  const auto queue = OpenQueue(arguments.data_dir);
  if (!queue) {
    return Fails(console, queue.error(), ExitCode::kCannotRun);
  }
  if (!arguments.discard.empty()) {
    const Status discarded = (*queue)->Discard(arguments.discard);
    if (!discarded) {
      return Fails(console, discarded.error(), StoreExitCode(discarded.error()));
    }
    console.Out(arguments.json ? JsonLine({{"job", arguments.discard}, {"discarded", true}}) + "\n"
                               : "Job " + Printable(arguments.discard) + " is gone.\n");
    return ExitCode::kSafe;
  }
  moderation::JobQuery query{.kind = arguments.kind};
  query.state = moderation::JobStateFrom(arguments.state);
  const auto jobs = Pages(**queue, query, arguments.limit);
  const auto counts = (*queue)->Counts("", UtcNow());
  if (!jobs || !counts) {
    return Fails(console, jobs ? counts.error() : jobs.error(), ExitCode::kCannotRun);
  }
  if (arguments.json) {
    for (const Job& job : *jobs) {
      console.Out(JsonLine(JobJson(job)) + "\n");
    }
    return ExitCode::kSafe;
  }
  std::string out = jobs->empty()
                        ? "No such job. "
                        : JobTable(*jobs, console.columns(), UseColor(console, arguments.color));
  console.Out(out + CountsText(*counts) + ".\n");
  return ExitCode::kSafe;
}

ExitCode RunJobsShow(const JobsShowArguments& arguments, Console& console) {
  const auto queue = OpenQueue(arguments.data_dir);
  const auto job = queue ? (*queue)->Find(arguments.id) : std::unexpected(queue.error());
  if (!job) {
    return Fails(console, job.error(), ExitCode::kCannotRun);
  }
  nlohmann::ordered_json json = JobJson(*job);
  if (job->what.kind == moderation::kJudgeJob) {
    Result<nlohmann::ordered_json> verdicts = VerdictsJson(*job);
    if (!verdicts) {
      return Fails(console, verdicts.error(), ExitCode::kCannotRun);
    }
    json["verdicts"] = std::move(*verdicts);
  }
  const auto notices = Pages(**queue, {.parent = job->id}, 100);
  if (!notices) {
    return Fails(console, notices.error(), ExitCode::kCannotRun);
  }
  if (arguments.json) {
    json["notices"] = nlohmann::ordered_json::array();
    for (const Job& notice : *notices) {
      json["notices"].push_back(JobJson(notice));
    }
    console.Out(JsonLine(json) + "\n");
    return ExitCode::kSafe;
  }
  std::string out = fmt::format("{} {}: {}, attempt {} of {}, put in {}\n", job->id, job->what.kind,
                                ToString(job->state), job->attempts, job->what.attempts_max,
                                TimeText(job->created));
  out += job->problem.empty() ? "" : "  problem: " + Printable(job->problem) + "\n";
  for (const auto& verdict : json.value("verdicts", nlohmann::ordered_json::array())) {
    out += VerdictLine(verdict);
  }
  for (const Job& notice : *notices) {
    out += fmt::format("  notice {}: {}, attempt {} of {}{}\n", notice.id, ToString(notice.state),
                       notice.attempts, notice.what.attempts_max,
                       notice.problem.empty() ? "" : ": " + Printable(notice.problem));
  }
  console.Out(out);
  return ExitCode::kSafe;
}

ExitCode RunJobsRetry(const JobsRetryArguments& arguments, Console& console) {
  if (arguments.ids.empty() && !arguments.all) {
    return Fails(
        console,
        {ErrorCode::kInvalidInput, "no job is named", "name jobs, or all dead ones with --all"},
        ExitCode::kUsage);
  }
  const auto queue = OpenQueue(arguments.data_dir);
  if (!queue) {
    return Fails(console, queue.error(), ExitCode::kCannotRun);
  }
  std::vector<std::string> ids = arguments.ids;
  if (arguments.all) {
    const auto dead = Pages(**queue, {.state = JobState::kDead}, 1'000'000);
    if (!dead) {
      return Fails(console, dead.error(), ExitCode::kCannotRun);
    }
    for (const Job& job : *dead) {
      ids.push_back(job.id);
    }
  }
  for (const std::string& id : ids) {
    const Status redriven = (*queue)->Redrive(id, UtcNow());
    if (!redriven) {
      return Fails(console, redriven.error(), StoreExitCode(redriven.error()));
    }
  }
  console.Out(arguments.json ? JsonLine({{"redriven", ids}}) + "\n"
                             : fmt::format("{} {} again.\n", ids.size(),
                                           ids.size() == 1 ? "job waits" : "jobs wait"));
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
