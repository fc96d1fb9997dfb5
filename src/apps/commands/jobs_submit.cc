// `safeguard jobs submit`: the screen's answer now, the rest into the queue.
#include <fmt/format.h>

#include <cmath>
#include <span>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/routed_judging.h"
#include "apps/input/data_folder.h"
#include "apps/input/policy_folder.h"
#include "apps/output/display_text.h"
#include "apps/output/verdict_json.h"
#include "apps/output/verdict_text.h"
#include "base/utc_time.h"
#include "http/webhook_sender.h"
#include "moderation/judgement_job.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

moderation::Judgement JudgementOf(const JobsSubmitArguments& arguments,
                                  const moderation::Content& content,
                                  const std::vector<LoadedPolicy>& policies, const Judged& judged) {
  moderation::Judgement judgement;
  judgement.content = content;
  judgement.webhook = arguments.webhook;
  judgement.why = "asked";
  judgement.keep_content = arguments.keep_content;
  for (std::size_t p = 0; p < policies.size(); ++p) {
    // What is in no store travels with the job: it is judged under the very text of now.
    judgement.policies.push_back({judged.verdicts[p].policy,
                                  policies[p].stored ? "" : policies[p].bytes, judged.channels[p],
                                  moderation::EarlierOf(judged.verdicts[p])});
  }
  return judgement;
}

Result<moderation::Enqueued> Put(const JobsSubmitArguments& arguments,
                                 const moderation::Judgement& judgement,
                                 moderation::JobQueue& queue) {
  Result<moderation::NewJob> job = moderation::JobOf(judgement);
  if (!job) {
    return std::unexpected(job.error());
  }
  const moderation::TimeMs now = UtcNow();
  job->key = arguments.key;
  job->not_before = now;
  job->priority = arguments.priority;
  job->attempts_max = arguments.attempts;
  if (arguments.deadline_s > 0) {
    job->deadline = now + std::llround(arguments.deadline_s * 1000);
  }
  const Result<std::vector<moderation::Enqueued>> put = queue.Enqueue(std::span(&*job, 1), now);
  return put ? Result<moderation::Enqueued>(put->front()) : std::unexpected(put.error());
}

void Print(const JobsSubmitArguments& arguments, const moderation::Enqueued& job,
           const Judged& judged, moderation::ContentKind kind, Console& console) {
  if (arguments.json) {
    nlohmann::ordered_json json = {{"job", job.id}, {"new", job.is_new}};
    json["verdicts"] = nlohmann::ordered_json::array();
    for (std::size_t v = 0; v < judged.verdicts.size(); ++v) {
      nlohmann::ordered_json verdict =
          RoutedVerdictJson(judged.verdicts[v], judged.channels[v], kind);
      verdict["provisional"] = true;
      json["verdicts"].push_back(std::move(verdict));
    }
    console.Out(JsonLine(json) + "\n");
    return;
  }
  std::string out =
      VerdictText(judged.verdicts, console.columns(), UseColor(console, arguments.color));
  out += job.is_new ? fmt::format("Provisional. The final verdict comes with job {}.\n", job.id)
                    : fmt::format("The key {} was submitted before: job {}.\n",
                                  Printable(arguments.key), job.id);
  console.Out(out);
}

Status CheckSubmit(const JobsSubmitArguments& arguments, const JudgingRequest& request) {
  if (!arguments.webhook.empty()) {
    if (Status good = http::CheckWebhookUrl(arguments.webhook); !good) {
      return good;
    }
  }
  return CheckUsage(request);
}

// The provisional verdicts.
Result<std::pair<std::unique_ptr<RoutedJudging>, Judged>> JudgeNow(
    const JobsSubmitArguments& arguments, const JudgingRequest& request,
    const moderation::Content& content, Services& services, Console& console) {
  Result<std::vector<LoadedPolicy>> policies = LoadPolicies(request, services);
  if (!policies) {
    return std::unexpected(policies.error());
  }
  Result<Calibrations> calibrations = FindCalibrations(
      arguments.calibration, *policies, request.data_dir, arguments.judge, services, console);
  if (!calibrations) {
    return std::unexpected(calibrations.error());
  }
  Result<Judging> judging =
      OpenJudging(std::move(*policies), request, std::move(*calibrations), services);
  if (!judging) {
    return std::unexpected(judging.error());
  }
  Result<std::unique_ptr<RoutedJudging>> routed = RoutedJudging::Open(std::move(*judging), request);
  if (!routed) {
    return std::unexpected(routed.error());
  }
  const std::span contents(&content, 1);
  const std::vector<std::string> keys =
      arguments.account.empty() ? KeysOf(contents) : std::vector{arguments.account};
  Result<Judged> judged = (*routed)->Decide(contents, keys, /*shadows=*/false);
  if (!judged) {
    return std::unexpected(judged.error());
  }
  return std::pair{std::move(*routed), std::move(*judged)};
}

}  // namespace

ExitCode RunJobsSubmit(const JobsSubmitArguments& arguments, Services& services, Console& console) {
  const JudgingRequest request{arguments.policies, arguments.golden, arguments.judge,
                               PolicyFolder(arguments.data_dir, arguments.policies)};
  if (const Status usage = CheckSubmit(arguments, request); !usage) {
    return Fails(console, usage.error(), ExitCode::kUsage);
  }
  Result<ContentInput> input = ReadContent(arguments.content, console);
  if (!input) {
    return Fails(console, input.error(), ExitCode::kUsage);
  }
  input->content.id = arguments.id;
  const Result<std::string> folder = DataFolder(arguments.data_dir);
  if (!folder) {
    return Fails(console, folder.error(), ExitCode::kUsage);
  }
  // Before anything is judged: what cannot be kept is not begun.
  const auto queue =
      storage::OpenJobQueue(*folder, {.jobs_max = arguments.queue_max}, {.create = true});
  if (!queue) {
    return Fails(console, queue.error(), ExitCode::kCannotRun);
  }
  auto judged = JudgeNow(arguments, request, input->content, services, console);
  if (!judged) {
    return Fails(console, judged.error(), ExitCode::kCannotRun);
  }
  auto& [routed, verdicts] = *judged;
  const Result<moderation::Enqueued> job =
      Put(arguments, JudgementOf(arguments, input->content, routed->policies(), verdicts), **queue);
  if (!job) {
    return Fails(console, job.error(), StoreExitCode(job.error()));
  }
  Tally tally;
  for (moderation::Verdict& verdict : verdicts.verdicts) {
    tally.Count(verdict.outcome);
    Restore(*input, verdict);
  }
  Print(arguments, *job, verdicts, input->content.kind, console);
  return tally.exit_code();
}

}  // namespace safeguard::apps
