// A backtest as a job that others can look at: beside OUT and OUT.resume (batch_output.h) stand
//
//   OUT.job   what runs, since when and over how much, as one JSON object
//   OUT.stop  there while somebody asks the job to stop
//   OUT.log   what a detached job has to say
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace safeguard::apps {

struct JobCard {
  std::string policy;
  std::string policy_version;
  std::string policy_hash;
  std::string over;
  double rate = 0;                  // 0: not limited
  std::uint64_t records_about = 0;  // of the input; 0: not known
  std::int64_t started = 0;         // seconds since 1970, of the latest start
  std::uint64_t started_at = 0;     // records that were there at that start
};

Status WriteJobCard(const std::string& out, const JobCard& card);
Result<JobCard> ReadJobCard(const std::string& out);

std::string StopPath(const std::string& out);
std::string LogPath(const std::string& out);

// Lines of a file, or 0 for what is no regular file.
std::uint64_t CountLines(const std::string& path);

// The running process goes on twice: true in a new one that has no terminal and writes what it says
// to `log`, false in the one that was called. Must be called before any thread is started.
Result<bool> GoOnInBackground(const std::string& log);

}  // namespace safeguard::apps
