// Who watches a pull: the terminal, or a test.
#pragma once

#include <cstdint>
#include <string>

namespace safeguard::apps::pull {

struct PullPosition {
  std::uint64_t bytes = 0;        // that have arrived, those of earlier runs too
  std::uint64_t bytes_total = 0;  // of all files to be fetched
  std::uint64_t bytes_start = 0;  // that were there when this run began
  std::string doing;              // where it is not fetching: "checking x", "waiting 12 s: …"
};

// Called on the thread that pulls.
class PullObserver {
 public:
  virtual ~PullObserver() = default;
  // One line for a person: what is going to be done, or something unusual. Untrusted text in it.
  virtual void Note(const std::string& line) = 0;
  // Many times a second while something goes on.
  virtual void Progress(const PullPosition& position) = 0;
};

}  // namespace safeguard::apps::pull
