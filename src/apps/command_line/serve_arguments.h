// What the command line said to `serve` and `key`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/command_line/arguments.h"

namespace safeguard::apps {

struct WebhookArguments {
  std::string url;                   // told of jobs that name none; empty: nobody is
  std::string secret_file;           // empty: nothing is sent
  std::vector<std::string> allowed;  // private addresses that webhooks may have
  std::string certificates;
};

// The models that `serve` talks with besides its judge.
struct TalkArguments {
  std::string chat_model{};                   // a checkpoint; empty: none
  std::string upstream{};                     // a URL; empty: none
  std::vector<std::string> upstream_allow{};  // private addresses that it may have
  std::string upstream_key_env{};             // the variable with its key; empty: none
  std::vector<std::string> policies{};        // that requests and answers are judged under
  std::string input = "block";                // block, score
  std::string output = "block";
  std::string input_fail = "closed";  // closed, open, degrade
  std::string output_fail = "closed";
  std::size_t visible_tokens = 0;  // of a stream, before they are judged
  std::size_t visible_ms = 500;    // and for how long
  std::string slow_judge{};        // a checkpoint, asked where degrade says so; empty: none
  bool require_route = false;      // nothing is passed on that names none
  std::size_t exchanges = 256;     // passed on at once
};

struct ServeArguments {
  std::string host = "127.0.0.1";
  int port = 8080;       // 0: any free one
  std::string data_dir;  // empty: $SAFEGUARD_DATA, else nothing is kept
  JudgeChoice judge{.threads = DefaultThreads()};
  std::vector<std::string> routes;  // files of routes that requests may name
  int timeout_ms = 2500;
  bool record_content = false;
  std::size_t workers = 1;  // calls of the judge at once
  std::size_t connections = 4096;
  std::size_t queue = 2048;  // contents that may wait
  std::size_t body_kib = 4096;
  std::size_t content_kib = 256;  // of one content that somebody waits for
  int drain_s = 30;
  bool no_jobs = false;  // they are kept, and another process works on them
  WebhookArguments webhook;
  TalkArguments talk;
  std::string tls_certificate;  // PEM files; empty: no TLS
  std::string tls_key;
  std::string tls_client_ca;

  std::string config;          // the YAML that gives what the command line leaves out; may be empty
  bool print_config = false;   // and nothing else
  bool config_schema = false;  // likewise
  std::vector<std::string> words;  // the command line, to be read again with a changed file
  std::string effective;           // every option as it is: what --print-config prints
};

enum class KeyVerb { kNew, kList, kRotate, kRevoke };

struct KeyArguments {
  KeyVerb verb = KeyVerb::kList;
  std::string name;  // of a new key; the id of one to rotate or revoke
  std::vector<std::string> scopes;
  std::string tenant;                  // of a new key; empty: the default one
  int requests_per_minute = 0;         // 0: no quota
  std::int64_t tokens_per_minute = 0;  // likewise
  double days = 0;                     // until it ends; 0: never
  double overlap_hours = 24;           // of a rotated one
  std::string data_dir;
  bool json = false;
};

}  // namespace safeguard::apps
