// `safeguard lists ...`.
#include <CLI/CLI.hpp>

#include "apps/command_line/command_tree.h"
#include "apps/command_line/examples.h"
#include "apps/command_line/options.h"

namespace safeguard::apps {
namespace {

void AddContent(CLI::App* command, ContentRequest& content) {
  command->add_option("text", content.text, "The content; - or nothing: standard input")
      ->type_name("TEXT");
  AddFile(command, "-f,--file", content.file, "Read the content from a file");
}

void AddListFiles(CLI::App* command, std::vector<std::string>& lists) {
  command->add_option("list", lists, "List files, or folders of them")
      ->type_name("FILE")
      ->required();
}

}  // namespace

void CommandTree::AddLists() {
  CLI::App* lists =
      app_->add_subcommand("lists", "Terms and known content that are answered without a model");
  lists->require_subcommand(1);
  AddListsCheck(*lists);
  AddListsAdd(*lists);

  CLI::App* show = lists->add_subcommand("show", "The entries of lists");
  AddListFiles(show, lists_show_.lists);
  show->add_flag("--expired", lists_show_.expired, "Only what has expired");
  AddJson(show, lists_show_.json, "One JSON object a line, one line an entry");
  AddColor(show, lists_show_.color);
  show->footer(kListsShowExamples);

  CLI::App* lint =
      lists->add_subcommand("lint", "Whether lists can be used and mean what they say");
  AddListFiles(lint, lists_lint_.lists);
  lint->add_option("-p,--policy", lists_lint_.policies,
                   "A policy whose rules the entries must cite; repeat it for more")
      ->type_name("POLICY")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  AddDataFolder(lint, lists_lint_.data_dir);
  AddJson(lint, lists_lint_.json, "One JSON object a line, one line a finding");
  AddColor(lint, lists_lint_.color);
  lint->footer(kListsLintExamples);
}

void CommandTree::AddListsCheck(CLI::App& lists) {
  CLI::App* check = lists.add_subcommand("check", "Which entries a content hits");
  AddContent(check, lists_check_.content);
  check->add_option("-l,--list", lists_check_.lists, "A list file, or a folder of them; repeat it")
      ->type_name("FILE")
      ->required()
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  AddFile(check, "--conversation", lists_check_.content.conversation,
          "A conversation: JSON, a list of {role, content} or {\"messages\": [...]}");
  check
      ->add_option("-p,--policy", lists_check_.policy,
                   "The id of the policy asked for (default: entries for any policy alone)")
      ->type_name("ID");
  check->add_option("--at", lists_check_.at, "As at this time, as in 2026-11-28 (default: now)")
      ->type_name("TIME");
  AddJson(check, lists_check_.json, "One JSON object a line, one line a hit");
  AddColor(check, lists_check_.color);
  check->footer(kListsCheckExamples);
}

void CommandTree::AddListsAdd(CLI::App& lists) {
  CLI::App* add = lists.add_subcommand("add", "Append an entry to a list");
  add->add_option("list", lists_add_.list, "The list file; made when it is not there")
      ->type_name("FILE")
      ->required();
  AddContent(add, lists_add_.content);
  add->add_option("--term", lists_add_.term, "A word or phrase")->type_name("TEXT");
  add->add_option("--allow", lists_add_.allow, "A phrase within which no term hits")
      ->type_name("TEXT");
  add->add_flag("--exact", lists_add_.exact, "The content, but for case and white space");
  add->add_flag("--near", lists_add_.near, "The content, but for small changes");
  add->add_option("--similarity", lists_add_.similarity,
                  "With --near: from which similarity on (default: 0.8)")
      ->type_name("SHARE")
      ->check(NumberFrom(0.7, 1));
  Choices(add->add_option("--match", lists_add_.match, "Where a term may begin and end"),
          "word|prefix|suffix|anywhere");
  Choices(add->add_option("--action", lists_add_.action, "What a hit means"),
          "violation|safe|review");
  add->add_option("-p,--policy", lists_add_.policy, "The id of its policy (default: any)")
      ->type_name("ID");
  add->add_option("--rule", lists_add_.rules, "A rule it breaks; repeat it for more")
      ->type_name("ID")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  add->add_option("--category", lists_add_.category, "The category of a verdict")
      ->type_name("NAME");
  add->add_option("-m,--reason", lists_add_.reason, "Why")->type_name("TEXT")->required();
  add->add_option("--as", lists_add_.who,
                  "Who does this (default: $SAFEGUARD_USER, else the system's user)")
      ->type_name("NAME");
  add->add_option("--id", lists_add_.id, "Its id (default: made from the value)")->type_name("ID");
  add->add_option("--expires", lists_add_.expires, "From when on it no longer hits")
      ->type_name("TIME");
  add->footer(kListsAddExamples);
}

Invocation CommandTree::SelectedOfLists(const CLI::App& command) {
  const std::string name = command.get_name();
  if (name == "check") {
    lists_check_.content.has_text = command.count("text") > 0;
    return lists_check_;
  }
  if (name == "add") {
    lists_add_.content.has_text = command.count("text") > 0;
    return lists_add_;
  }
  if (name == "show") {
    return lists_show_;
  }
  return lists_lint_;
}

}  // namespace safeguard::apps
