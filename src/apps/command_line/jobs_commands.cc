// `safeguard jobs ...`: answers now, final verdicts later.
#include <CLI/CLI.hpp>

#include "apps/command_line/command_tree.h"
#include "apps/command_line/examples.h"
#include "apps/command_line/options.h"

namespace safeguard::apps {

void CommandTree::AddJobs() {
  CLI::App* jobs =
      app_->add_subcommand("jobs", "Answer now with the screen, finish with the reasoner later");
  jobs->require_subcommand(1);
  AddJobsSubmit(jobs);
  AddJobsRun(jobs);

  CLI::App* list = jobs->add_subcommand("list", "What waits, is worked on, is done or dead");
  Choices(list->add_option("--state", jobs_list_.state, "Only these"), "waiting|leased|done|dead");
  Choices(list->add_option("--kind", jobs_list_.kind,
                           "Only judgements, notices of them, or evaluations"),
          "judge|notify|eval-run");
  CLI::App* dead = jobs->add_subcommand("dead", "Jobs that were given up, and why");
  dead->add_option("--discard", jobs_dead_.discard, "Remove this one for good")->type_name("ID");
  for (const auto& [command, arguments] :
       {std::pair{list, &jobs_list_}, std::pair{dead, &jobs_dead_}}) {
    command->add_option("--limit", arguments->limit, "At most so many (default: 100)")
        ->type_name("N")
        ->check(NumberFrom(1, 1e6));
    AddDataFolder(command, arguments->data_dir);
    AddJson(command, arguments->json, "One JSON object a line, one line a job");
    AddColor(command, arguments->color);
  }
  list->footer(kJobsListExamples);
  dead->footer(kJobsDeadExamples);

  CLI::App* show = jobs->add_subcommand("show", "One job: its verdicts and whom it was told");
  show->add_option("id", jobs_show_.id, "The job")->type_name("ID")->required();
  AddDataFolder(show, jobs_show_.data_dir);
  AddJson(show, jobs_show_.json, "As one JSON object");
  show->footer(kJobsShowExamples);

  CLI::App* retry = jobs->add_subcommand("retry", "Let dead jobs begin again");
  CLI::Option* ids = retry->add_option("id", jobs_retry_.ids, "The jobs")->type_name("ID");
  retry->add_flag("--all", jobs_retry_.all, "All dead ones")->excludes(ids);
  AddDataFolder(retry, jobs_retry_.data_dir);
  AddJson(retry, jobs_retry_.json, "As one JSON object");
  retry->footer(kJobsRetryExamples);
}

void CommandTree::AddJobsSubmit(CLI::App* jobs) {
  JobsSubmitArguments& submit = jobs_submit_;
  CLI::App* command = jobs->add_subcommand(
      "submit", "Judge one content with the screen, and put off the final verdict");
  command->add_option("text", submit.content.text, "The content; - or nothing: standard input")
      ->type_name("TEXT");
  AddFile(command, "-f,--file", submit.content.file, "Read the content from a file");
  AddFile(command, "--conversation", submit.content.conversation,
          "Judge a conversation: JSON, a list of {role, content} or {\"messages\": [...]}");
  AddPolicies(command, submit.policies, submit.golden);
  command->get_option("--policy")->required();
  AddCalibration(command, submit.calibration);
  AddDataFolder(command, submit.data_dir);
  command
      ->add_option("--account", submit.account,
                   "Who wrote it: a canary's percentage follows the account")
      ->type_name("ID");
  command->add_option("--id", submit.id, "Your name for the content, told with the verdict")
      ->type_name("ID");
  command->add_option("--surface", submit.content.surface, "Where it stands: comment, dm, bio, ...")
      ->type_name("NAME");
  command->add_option("--language", submit.content.language, "Its language, as in en or pt-BR")
      ->type_name("TAG");
  command
      ->add_option("--key", submit.key,
                   "Idempotency key: the same key is the same job, however often it is submitted")
      ->type_name("KEY");
  command
      ->add_option("--webhook", submit.webhook,
                   "URL to tell when the final verdict is there (default: what `jobs run` says)")
      ->type_name("URL");
  command->add_option("--priority", submit.priority, "Higher goes first (default: 0)")
      ->type_name("N")
      ->check(NumberFrom(-1e9, 1e9));
  command
      ->add_option("--deadline", submit.deadline_s,
                   "Not to be worked on after so long (default: however late)")
      ->type_name("SECONDS")
      ->check(NumberFrom(0, 1e9));
  command->add_option("--attempts", submit.attempts, "Before it is given up (default: 5)")
      ->type_name("N")
      ->check(NumberFrom(1, 1000));
  command
      ->add_option("--queue-max", submit.queue_max,
                   "Refuse when so many jobs are unfinished (default: 100000)")
      ->type_name("N")
      ->check(NumberFrom(1, 1e9));
  command->add_flag("--record-content", submit.keep_content,
                    "Keep the content with the final verdict, else its hash alone");
  AddJudge(command, submit.judge);
  AddJson(command, submit.json, "As one JSON object");
  AddColor(command, submit.color);
  command->footer(std::string(kJobsSubmitExamples) + "\n" + ExitCodeHelp());
}

void CommandTree::AddJobsRun(CLI::App* jobs) {
  JobsRunArguments& run = jobs_run_;
  CLI::App* command =
      jobs->add_subcommand("run", "Work on jobs until nothing is due: judge, record, tell");
  command->add_flag("--daemon", run.daemon, "Go on until Ctrl-C; what was begun is finished");
  AddDataFolder(command, run.data_dir);
  command
      ->add_option("--route", run.routes,
                   "A route whose jobs its own reasoners finish; repeat it for more. A job whose "
                   "route is not given is finished by the file that it names")
      ->type_name("FILE")
      ->expected(1)
      ->take_all();
  AddCalibration(command, run.calibration);
  command->add_option("--webhook", run.webhook, "URL to tell of jobs that name none")
      ->type_name("URL");
  AddFile(command, "--webhook-secret-file", run.secret_file,
          "What notices are signed with: whsec_... one a line, the newest first; read anew for "
          "every notice. Without it they wait");
  command
      ->add_option("--webhook-allow", run.allowed,
                   "A private address or range that webhooks may have, as in 10.1.0.0/16; repeat "
                   "it for more (default: public addresses alone)")
      ->type_name("RANGE")
      ->expected(1)
      ->take_all();
  AddFile(command, "--webhook-ca", run.certificates,
          "PEM file of the authorities to trust (default: the system's)");
  command->add_option("--batch", run.batch, "Jobs taken at once (default: 8)")
      ->type_name("N")
      ->check(NumberFrom(1, 1000));
  command->add_option("--senders", run.senders, "Notices sent at once (default: 4)")
      ->type_name("N")
      ->check(NumberFrom(1, 64));
  command
      ->add_option("--lease", run.lease_s,
                   "When this process dies, others go on with its jobs after so long (default: 60)")
      ->type_name("SECONDS")
      ->check(NumberFrom(0.1, 86'400));
  command
      ->add_option("--retry", run.retry_s,
                   "Pause before the second attempt; later ones grow threefold to 12 hours "
                   "(default: 5)")
      ->type_name("SECONDS")
      ->check(NumberFrom(0.001, 86'400));
  AddJudge(command, run.judge);
  command->get_option("--judge")->description(
      "Who gives the final verdict: gpt-oss-safeguard (default), the screen, or answers from a "
      "file");
  AddJson(command, run.json, "What happens, one JSON object a line");
  command->footer(kJobsRunExamples);
}

std::optional<Invocation> CommandTree::SelectedOfJobs(const std::string& name) const {
  if (name == "submit") {
    JobsSubmitArguments submit = jobs_submit_;
    submit.content.has_text =
        app_->get_subcommand("jobs")->get_subcommand("submit")->count("text") > 0;
    return submit;
  }
  if (name == "run") {
    return jobs_run_;
  }
  if (name == "list") {
    return jobs_list_;
  }
  if (name == "dead") {
    JobsListArguments dead = jobs_dead_;
    dead.state = "dead";
    return dead;
  }
  if (name == "show") {
    return jobs_show_;
  }
  if (name == "retry") {
    return jobs_retry_;
  }
  return std::nullopt;
}

}  // namespace safeguard::apps
