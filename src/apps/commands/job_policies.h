// The policies of jobs, made ready for the judge: each once.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "apps/services.h"
#include "base/result.h"
#include "moderation/judge.h"
#include "moderation/judgement_job.h"

namespace safeguard::apps {

// Used by one thread.
class JobPolicies {
 public:
  // `data_dir` is where stored versions are. All given must outlive it.
  JobPolicies(Services& services, std::string data_dir, moderation::Judge& judge)
      : services_(services), data_dir_(std::move(data_dir)), judge_(judge) {}

  // By the text that the job brings, else the store's version, whose bytes must have the hash that
  // the job names: it is judged under the text that its provisional verdict is of, or not at all.
  Result<std::shared_ptr<const moderation::PreparedPolicy>> Find(
      const moderation::JudgedPolicy& wanted);

 private:
  using Prepared = std::shared_ptr<const moderation::PreparedPolicy>;
  [[nodiscard]] Result<Prepared> Prepare(const moderation::JudgedPolicy& wanted) const;

  Services& services_;
  std::string data_dir_;
  moderation::Judge& judge_;
  // By id, version and hash; emptied when it grows beyond any sensible number.
  std::map<std::string, Prepared> prepared_;
};

}  // namespace safeguard::apps
