// `safeguard review ...`: what routes left for people.
#include <CLI/CLI.hpp>

#include "apps/command_line/command_tree.h"
#include "apps/command_line/examples.h"
#include "apps/command_line/options.h"

namespace safeguard::apps {
namespace {

CLI::Option* AddId(CLI::App* command, std::int64_t& id) {
  return command->add_option("id", id, "The case's number")->type_name("CASE")->required();
}

void AddPolicyId(CLI::App* command, std::string& policy) {
  command->add_option("-p,--policy", policy, "Only of this policy")->type_name("POLICY");
}

}  // namespace

void CommandTree::AddReview() {
  CLI::App* review =
      app_->add_subcommand("review", "What routes left for people, and what they decided");
  review->require_subcommand(1);

  CLI::App* list = review->add_subcommand("list", "Cases, the most urgent first");
  Choices(list->add_option("--state", review_list_.state, "Which (default: open)"),
          "open|decided|all");
  AddPolicyId(list, review_list_.policy);
  list->add_option("--route", review_list_.route, "Only of this route")->type_name("NAME");
  list->add_option("--limit", review_list_.limit, "At most so many (default: 50)")
      ->type_name("N")
      ->check(NumberFrom(1, 1000));
  AddDataFolder(list, review_list_.data_dir);
  AddJson(list, review_list_.json, "One JSON object a line, one line a case, with its content");
  AddColor(list, review_list_.color);
  list->footer(kReviewListExamples);

  CLI::App* show = review->add_subcommand("show", "One case whole: content, verdict, decision");
  AddId(show, review_show_.id);
  AddDataFolder(show, review_show_.data_dir);
  AddJson(show, review_show_.json, "As one JSON object");
  show->footer(kReviewShowExamples);

  AddReviewDecide(review);

  CLI::App* out = review->add_subcommand(
      "export", "Decisions as golden cases: what `policy test` and `eval` read");
  AddPolicyId(out, review_export_.policy);
  AddFile(out, "--out", review_export_.out, "The file to write (default: standard output)");
  AddDataFolder(out, review_export_.data_dir);
  out->footer(kReviewExportExamples);

  CLI::App* prune = review->add_subcommand("prune", "Forget decided cases and their content");
  prune
      ->add_option("--older-than", review_prune_.older_than_days,
                   "Decided so many days ago (default: 90)")
      ->type_name("DAYS")
      ->check(NumberFrom(0, 36'500));
  AddDataFolder(prune, review_prune_.data_dir);
  prune->footer(kReviewPruneExamples);
}

void CommandTree::AddReviewDecide(CLI::App* review) {
  CLI::App* command = review->add_subcommand("decide", "Decide a case, with a reason");
  AddId(command, review_decide_.id);
  Choices(command->add_option("outcome", review_decide_.outcome, "What it is")->required(),
          "violation|safe");
  command->add_option("-m,--why", review_decide_.why, "Why: kept with the decision")
      ->type_name("TEXT")
      ->required();
  command->add_option("--rule", review_decide_.rules, "A rule that it breaks; repeat it for more")
      ->type_name("RULE")
      ->expected(1)
      ->take_all();
  command->add_option("--category", review_decide_.category, "Its label under the policy")
      ->type_name("LABEL");
  command
      ->add_option("--as", review_decide_.who,
                   "Who decides (default: $SAFEGUARD_USER, else the system's user)")
      ->type_name("NAME");
  command->add_flag("--again", review_decide_.again, "Also where there is a decision already");
  command->add_flag("--record-content", review_decide_.keep_content,
                    "Keep the content in the verdict log too, else its hash alone");
  AddDataFolder(command, review_decide_.data_dir);
  AddJson(command, review_decide_.json, "As one JSON object");
  command->footer(kReviewDecideExamples);
}

std::optional<Invocation> CommandTree::SelectedOfReview(const std::string& name) const {
  if (name == "list") {
    return review_list_;
  }
  if (name == "show") {
    return review_show_;
  }
  if (name == "decide") {
    return review_decide_;
  }
  if (name == "export") {
    return review_export_;
  }
  return review_prune_;
}

}  // namespace safeguard::apps
