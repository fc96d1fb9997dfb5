// What the doctor looks at, and what it finds. Each check adds findings to a list; none of them
// changes anything or gives up because another one found something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/command_line/serve_arguments.h"
#include "apps/services.h"

namespace safeguard::apps {

enum class Health { kOk, kWarning, kError };

const char* ToString(Health health);  // "ok", "warning", "error"

struct Finding {
  Health health = Health::kOk;
  std::string part;  // "machine", "models", "data", "configuration"
  std::string what;  // one sentence
  std::string hint;  // what to do; empty where there is nothing to do
};

// Adds findings of one part.
class Findings {
 public:
  void Begin(std::string part) { part_ = std::move(part); }
  void Ok(std::string what) { Add(Health::kOk, std::move(what), ""); }
  void Warn(std::string what, std::string hint) {
    Add(Health::kWarning, std::move(what), std::move(hint));
  }
  void Fault(std::string what, std::string hint) {
    Add(Health::kError, std::move(what), std::move(hint));
  }
  void Fault(const Error& error) { Fault(error.message, error.hint); }

  void Append(const Findings& others) {
    all_.insert(all_.end(), others.all_.begin(), others.all_.end());
  }

  [[nodiscard]] const std::vector<Finding>& all() const { return all_; }
  [[nodiscard]] std::size_t Count(Health health) const;

 private:
  void Add(Health health, std::string what, std::string hint) {
    all_.push_back({health, part_, std::move(what), std::move(hint)});
  }

  std::string part_;
  std::vector<Finding> all_;
};

// What the machine says of itself.
struct MachineFacts {
  std::size_t cores = 0;
  std::string screen_kernels;
  std::string reasoner_kernels;
  std::uint64_t memory = 0;            // bytes
  std::uint64_t memory_available = 0;  // without swapping
  std::string huge_pages;              // "always [madvise] never"; empty: not known
  std::uint64_t open_files = 0;        // the process's limit
  std::string disk_folder;             // where the data go, or would go
  std::uint64_t disk_free = 0;         // bytes, of a user; of that folder
  std::int64_t now = 0;                // milliseconds since 1970
  bool clock_synchronised = true;      // as the kernel knows it
};

// Reads them. `data_folder` need not be there.
MachineFacts ReadMachine(const std::string& data_folder, Services& services);

// `model_bytes`: of the reasoner's checkpoint; 0: none is wanted.
void CheckMachine(const MachineFacts& facts, std::uint64_t model_bytes, std::size_t connections,
                  Findings& findings);

// The screen with its encoder and tokenizer: opened, and asked. The checkpoint at `reasoner` where
// one is given. Returns that checkpoint's bytes.
std::uint64_t CheckModels(const std::string& reasoner, Services& services, Findings& findings);

// `folder`: empty: nothing is kept.
void CheckData(const std::string& folder, std::int64_t now, Findings& findings);

// The routes that it would serve: their files and policies.
void CheckRoutes(const ServeArguments& serve, const std::string& data_folder, Services& services,
                 Findings& findings);

// How `safeguard serve` would start. With `network` the upstream is asked whether it answers.
void CheckConfiguration(const ServeArguments& serve, const std::string& data_folder,
                        std::int64_t now, bool network, Findings& findings);

}  // namespace safeguard::apps
