// Whether the command line asks for verdicts to be recorded.
#pragma once

namespace safeguard::apps {

struct RecordChoice {
  bool record = false;
  bool keep_content = false;  // else its hash alone
};

}  // namespace safeguard::apps
