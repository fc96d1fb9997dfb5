// What the command line said of `guard` and `audit`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "apps/command_line/arguments.h"

namespace safeguard::apps {

struct GuardArguments {
  std::vector<std::string> policies;
  std::string golden;
  std::string data_dir;
  CalibrationChoice calibration;
  std::string file;                    // empty: standard input
  std::string format = "openai-chat";  // see http/guard/guard_settings.h
  std::size_t tokens = 0;              // of the contract
  double violation_at = -1;            // below 0: as the judge says
  std::string on_error = "closed";     // closed, open
  std::string reasoning = "scan";      // scan, drop
  bool no_whole_pass = false;
  std::size_t chunk = 0;  // bytes fed at once; 0: all
  JudgeChoice judge{.threads = DefaultThreads()};
  bool json = false;
};

enum class AuditVerb { kInit, kVerify, kHead, kRotate, kErase };

struct AuditArguments {
  AuditVerb verb = AuditVerb::kVerify;
  std::string data_dir;
  std::string public_key;            // verify: its digits, or a file with them
  std::vector<std::string> anchors;  // verify: files
  std::string content_id;            // erase
  std::string content_hash;          // erase
  bool json = false;
};

}  // namespace safeguard::apps
