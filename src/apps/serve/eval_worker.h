// Works on the evaluations that were asked for over HTTP: the judge of the server over a dataset
// that was sent, with the figures and the reports of `safeguard eval`.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "http/policy_shelf.h"
#include "http/service.h"
#include "moderation/file_store.h"
#include "moderation/job_workers.h"
#include "moderation/judge.h"

namespace safeguard::apps {

struct EvalWorkerParts {
  moderation::JobQueue& queue;
  moderation::FileStore& files;
  moderation::Judge& judge;
  http::PolicyShelf& shelf;
  std::string judge_name;
  // What the judge's answers depend on: a run goes on only with the same.
  std::function<Result<std::string>()> judge_identity;
  std::string folder;             // for what is under way: DATA/evals
  std::size_t batch = 32;         // contents given to the judge at once
  std::string name;               // for people: who holds the job
  const std::atomic<bool>& stop;  // a run ends soon when it is set, and goes on at the next start
};

// All given must outlive it. A run that is killed goes on with the records that are not judged yet.
std::unique_ptr<moderation::JobWorker> MakeEvalWorker(EvalWorkerParts parts);

}  // namespace safeguard::apps
