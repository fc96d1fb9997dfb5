// Which judge the command line asks for, and how it is to judge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace safeguard::apps {

struct JudgeChoice {
  std::string judge = "screen";  // screen, reasoner, recorded
  // Of the screen: the folder with the models, empty for the usual places. Of the reasoner: the
  // checkpoint.
  std::string model{};
  std::size_t threads = 1;
  std::string screen = "auto";  // auto (the trained one where it is installed), trained, embedding

  // Of the reasoner; see judges/reasoner_judge.h.
  std::string effort = "low";
  std::string answer = "policy";
  std::string placement = "developer";
  std::string date{};  // empty: none
  bool instant = false;
  bool joint = false;
  std::size_t reasoning_tokens = 2048;
  std::size_t answer_tokens = 512;
  double time_limit_s = 0;  // of one verdict; 0: none
  std::string drafts = "auto";
  bool packed_file = true;            // keep packed weights on disk (engine/packed_file.h)
  std::string precision = "default";  // default, f32, int16, int8, bf16 (engine/model_precision.h)
  double temperature = 0;
  std::uint64_t seed = 0;

  std::string recorded{};         // the file with the answers
  bool recorded_by_line = false;  // each is of the content called "line N"
};

}  // namespace safeguard::apps
