// What the command line said of `verdicts receipt`, `replay` and `doctor`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/output/console.h"

namespace safeguard::apps {

struct ReceiptArguments {
  std::int64_t sequence = 0;  // of the verdict in the log
  std::string data_dir;
};

struct ReplayArguments {
  std::string receipt;                // the file; "-": standard input
  std::string content;                // the file with the content; "-": standard input
  std::string conversation;           // the same, for a conversation in JSON
  std::vector<std::string> policies;  // empty: found by the hashes in the receipt
  std::string model;                  // empty: where the receipt says
  std::string route;                  // the same, for a route's file
  std::vector<std::string> keys;      // that are trusted: each its digits, or a file with them
  std::string data_dir;
  std::size_t threads = 1;
  bool json = false;
};

struct DoctorArguments {
  std::string config;    // of `serve`
  std::string data_dir;  // empty: $SAFEGUARD_DATA, else the usual folder where it is there
  std::string model;     // a checkpoint of the reasoner
  bool network = false;  // whether it may reach out
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

}  // namespace safeguard::apps
