// `safeguard serve` and `safeguard key`.
#include <CLI/CLI.hpp>

#include "apps/command_line/command_tree.h"
#include "apps/command_line/options.h"
#include "apps/command_line/serve_config.h"

namespace safeguard::apps {
namespace {

constexpr const char* kServeExamples = R"(Examples:
  safeguard serve
  safeguard serve --port 9000 --data-dir ./data
  safeguard serve --judge reasoner --model gpt-oss-safeguard-20b --timeout-ms 20000
  safeguard serve --route comments.yaml --route dm.yaml --data-dir ./data
  safeguard serve --config service.yaml

Answers on this machine alone unless --host says otherwise; a server that others reach needs keys
(safeguard key new). SIGTERM or Ctrl-C lets requests under way finish. docs/service.md says more.
)";

constexpr const char* kKeyExamples = R"(Examples:
  safeguard key new gateway --scope judge --per-minute 6000 --data-dir ./data
  safeguard key new acme-gateway --tenant acme --scope judge --scope review --data-dir ./data
  safeguard key rotate 3f1c0a9d5b7e --overlap-hours 48 --data-dir ./data
)";

void AddTalk(CLI::App* command, TalkArguments& talk) {
  command
      ->add_option("--chat-model", talk.chat_model,
                   "A gpt-oss checkpoint to talk to at /v1/chat/completions and /v1/responses")
      ->type_name("PATH");
  command
      ->add_option("--upstream", talk.upstream,
                   "An API that requests for other models are passed on to, guarded")
      ->type_name("URL");
  command
      ->add_option("--upstream-allow", talk.upstream_allow,
                   "A private address or range that the upstream may have; repeat it for more")
      ->type_name("RANGE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command
      ->add_option("--upstream-key-env", talk.upstream_key_env,
                   "The environment variable with the upstream's key")
      ->type_name("NAME");
  command
      ->add_option("--guard-policy", talk.policies,
                   "A policy for what is passed on; repeat it for more (default: all active ones)")
      ->type_name("ID")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  Choices(command->add_option("--guard-input", talk.input,
                              "What a request that violates one comes to (default: block)"),
          "block|score");
  Choices(command->add_option("--guard-output", talk.output,
                              "What an answer that violates one comes to (default: block)"),
          "block|score");
  Choices(command->add_option("--input-fails", talk.input_fail,
                              "What a request that cannot be judged comes to (default: closed)"),
          "closed|open|degrade");
  Choices(command->add_option("--output-fails", talk.output_fail,
                              "What an answer that cannot be judged comes to (default: closed)"),
          "closed|open|degrade");
  command
      ->add_option("--slow-judge", talk.slow_judge,
                   "A gpt-oss checkpoint that decides what the judge could not, where degrade says "
                   "so")
      ->type_name("PATH");
  command
      ->add_option("--visible-tokens", talk.visible_tokens,
                   "Tokens of a stream that may be seen before they are judged (default: 0)")
      ->type_name("N")
      ->check(NumberFrom(0, 100000));
  command
      ->add_option("--visible-ms", talk.visible_ms,
                   "Milliseconds that any of them may be seen before it is judged (default: 500)")
      ->type_name("N")
      ->check(NumberFrom(0, 60000));
  command
      ->add_option("--exchanges", talk.exchanges,
                   "Requests that are passed on at once; more are answered 429. Each has a thread "
                   "(default: 256)")
      ->type_name("N")
      ->check(NumberFrom(1, 20000));
  command->add_flag("--require-route", talk.require_route,
                    "Pass on nothing that names no route (default: by these settings)");
}

void AddWebhook(CLI::App* command, WebhookArguments& webhook) {
  command
      ->add_option("--webhook", webhook.url,
                   "Told of jobs that name no webhook, as those that routes put off")
      ->type_name("URL");
  AddFile(command, "--webhook-secret-file", webhook.secret_file,
          "Secrets that sign what webhooks are told; without it nobody is told");
  command
      ->add_option("--webhook-allow", webhook.allowed,
                   "A private address or range that webhooks may have, as in 10.1.0.0/16; repeat "
                   "it for more")
      ->type_name("ADDRESS")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  AddFile(command, "--webhook-ca", webhook.certificates,
          "Authorities to trust instead of the system's, PEM");
}

void AddTls(CLI::App* command, ServeArguments& serve) {
  AddFile(command, "--tls-certificate", serve.tls_certificate,
          "Speak TLS, with this certificate and its chain, PEM; SIGHUP reads it again");
  AddFile(command, "--tls-key", serve.tls_key, "The certificate's private key, PEM");
  AddFile(command, "--tls-client-ca", serve.tls_client_ca,
          "Serve only clients whose certificate one of these authorities signed, PEM");
}

}  // namespace

void CommandTree::AddServe() {
  CLI::App* command = app_->add_subcommand("serve", "Judge over HTTP");
  command->add_option("--port", serve_.port, "The port; 0: any free one (default: 8080)")
      ->type_name("N")
      ->check(NumberFrom(0, 65535));
  command->add_option("--host", serve_.host, "The address to listen on (default: 127.0.0.1)")
      ->type_name("ADDRESS");
  AddDataFolder(command, serve_.data_dir);
  AddJudge(command, serve_.judge);
  command
      ->add_option("--route", serve_.routes,
                   "A route file (docs/cascade.md): requests may name its route instead of "
                   "policies; repeat it for more")
      ->type_name("FILE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command
      ->add_option("--timeout-ms", serve_.timeout_ms,
                   "After it a content is answered undetermined, where its request names no time "
                   "(default: 2500)")
      ->type_name("N")
      ->check(NumberFrom(1, 60000));
  command->add_flag("--record-content", serve_.record_content,
                    "Keep the text with each recorded verdict (default: its hash alone)");
  command->add_option("--workers", serve_.workers, "Calls of the judge at once (default: 1)")
      ->type_name("N")
      ->check(NumberFrom(1, 64));
  command->add_option("--connections", serve_.connections, "At most so many (default: 4096)")
      ->type_name("N")
      ->check(NumberFrom(1, 100000));
  command
      ->add_option("--queue", serve_.queue,
                   "Contents that may wait; more are answered 429 (default: 2048)")
      ->type_name("N")
      ->check(NumberFrom(1, 1000000));
  command->add_option("--body-kib", serve_.body_kib, "Largest body (default: 4096)")
      ->type_name("KIB")
      ->check(NumberFrom(1, 65536));
  command
      ->add_option(
          "--content-kib", serve_.content_kib,
          "Largest content that a request waits for; longer ones are refused, and taken as "
          "jobs (default: 256)")
      ->type_name("KIB")
      ->check(NumberFrom(1, 65536));
  command
      ->add_option("--drain-s", serve_.drain_s,
                   "Seconds that requests under way may take after SIGTERM (default: 30)")
      ->type_name("N")
      ->check(NumberFrom(0, 3600));
  command->add_flag("--no-jobs", serve_.no_jobs,
                    "Keep jobs, and leave them to `safeguard jobs run` and its judge");
  AddWebhook(command, serve_.webhook);
  AddTls(command, serve_);
  AddTalk(command, serve_.talk);
  AddFile(command, "--config", serve_.config,
          "YAML with any of these options; the command line wins. SIGHUP reads it again");
  command->add_flag("--print-config", serve_.print_config,
                    "Print every option as such a YAML, and end");
  command->add_flag("--config-schema", serve_.config_schema,
                    "Print the JSON Schema of --config, and end");
  command->footer(kServeExamples);
}

void CommandTree::AddKey() {
  CLI::App* key = app_->add_subcommand("key", "Make, list, rotate and revoke keys of the service");
  key->require_subcommand(1);
  const auto verb = [&](const char* name, const char* help, KeyVerb what) {
    CLI::App* sub = key->add_subcommand(name, help);
    sub->callback([this, what] { key_.verb = what; });
    AddDataFolder(sub, key_.data_dir);
    AddJson(sub, key_.json, "As JSON");
    return sub;
  };
  CLI::App* make = verb("new", "Make a key; it is shown once", KeyVerb::kNew);
  make->add_option("name", key_.name, "Whose it is")->type_name("NAME")->required();
  Choices(make->add_option("--scope", key_.scopes, "What it may; repeat it for more")
              ->required()
              ->expected(1)
              ->allow_extra_args(false)
              ->take_all(),
          "judge|policy-write|review|admin");
  make->alias("create");
  make->add_option("--tenant", key_.tenant,
                   "Whose policies, verdicts and jobs it reaches, and no others; '*': those of the "
                   "tenant that each request names (default: default)")
      ->type_name("TENANT");
  make->add_option("--per-minute", key_.requests_per_minute, "Requests a minute (default: any)")
      ->type_name("N")
      ->check(NumberFrom(1, 1e9));
  make->add_option("--tokens-per-minute", key_.tokens_per_minute,
                   "Tokens a minute, four bytes of a request each (default: any)")
      ->type_name("N")
      ->check(NumberFrom(1, 1e12));
  make->add_option("--days", key_.days, "Until it ends (default: never)")
      ->type_name("N")
      ->check(NumberFrom(0.001, 36500));
  verb("list", "List keys, not their secrets", KeyVerb::kList);
  CLI::App* rotate =
      verb("rotate", "Make a new key in place of one that ends soon", KeyVerb::kRotate);
  rotate->add_option("id", key_.name, "The old key's id")->type_name("ID")->required();
  rotate->add_option("--overlap-hours", key_.overlap_hours, "How long the old one lives on (24)")
      ->type_name("N")
      ->check(NumberFrom(0, 8760));
  CLI::App* revoke = verb("revoke", "End a key now", KeyVerb::kRevoke);
  revoke->add_option("id", key_.name, "The key's id")->type_name("ID")->required();
  key->footer(kKeyExamples);
}

Invocation CommandTree::FinishServe(const std::vector<std::string>& arguments) {
  CLI::App& command = *app_->get_subcommand("serve");
  if (serve_.config_schema) {
    return ParseEnd{ExitCode::kSafe, ConfigSchema(command), {}};
  }
  if (!serve_.config.empty()) {
    if (const Status applied = ApplyConfigFile(serve_.config, command); !applied) {
      return ParseEnd{ExitCode::kUsage, "", applied.error()};
    }
  }
  serve_.effective = ConfigYaml(command);
  if (serve_.print_config) {
    return ParseEnd{ExitCode::kSafe, serve_.effective, {}};
  }
  serve_.words = arguments;
  return serve_;
}

std::optional<Invocation> CommandTree::SelectedOfService(const CLI::App& command) const {
  if (command.get_parent()->get_name() == "key") {
    return key_;
  }
  return std::nullopt;
}

}  // namespace safeguard::apps
