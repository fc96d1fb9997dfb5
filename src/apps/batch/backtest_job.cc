#include "apps/batch/backtest_job.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <vector>

#include "apps/output/verdict_json.h"
#include "base/file.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kCardBytesMax = 1 << 20;

std::string CardPath(const std::string& out) {
  return out + ".job";
}

std::unexpected<Error> SystemError(const std::string& what) {
  return Fail(ErrorCode::kUnavailable, what + ": " + std::strerror(errno));
}

}  // namespace

std::string StopPath(const std::string& out) {
  return out + ".stop";
}

std::string LogPath(const std::string& out) {
  return out + ".log";
}

Status WriteJobCard(const std::string& out, const JobCard& card) {
  return WriteFileAtomically(CardPath(out), JsonText({{"policy", card.policy},
                                                      {"policy_version", card.policy_version},
                                                      {"policy_hash", card.policy_hash},
                                                      {"over", card.over},
                                                      {"rate", card.rate},
                                                      {"records_about", card.records_about},
                                                      {"started", card.started},
                                                      {"started_at", card.started_at}}));
}

Result<JobCard> ReadJobCard(const std::string& out) {
  const Result<std::string> text = ReadFile(CardPath(out), kCardBytesMax);
  if (!text) {
    return std::unexpected(text.error());
  }
  const nlohmann::json json = nlohmann::json::parse(*text, nullptr, false);
  try {
    return JobCard{json.at("policy").get<std::string>(),
                   json.at("policy_version").get<std::string>(),
                   json.at("policy_hash").get<std::string>(),
                   json.at("over").get<std::string>(),
                   json.at("rate").get<double>(),
                   json.at("records_about").get<std::uint64_t>(),
                   json.at("started").get<std::int64_t>(),
                   json.at("started_at").get<std::uint64_t>()};
  } catch (const nlohmann::json::exception&) {
    return Fail(ErrorCode::kCorruptFile, CardPath(out) + " is not readable",
                "the job itself does not need it: run the same backtest again");
  }
}

std::uint64_t CountLines(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return 0;
  }
  std::ifstream in(path, std::ios::binary);
  std::vector<char> block(std::size_t{1} << 20);
  std::uint64_t lines = 0;
  char last = '\n';
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    const auto end = block.begin() + in.gcount();
    lines += static_cast<std::uint64_t>(std::count(block.begin(), end, '\n'));
    last = *(end - 1);
  }
  return lines + (last == '\n' ? 0 : 1);
}

Result<bool> GoOnInBackground(const std::string& log) {
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) {
    return SystemError("cannot write " + log);
  }
  const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t child = input < 0 ? -1 : ::fork();
  if (child != 0) {
    ::close(output);
    ::close(input);
    return child < 0 ? Result<bool>(SystemError("cannot start the job")) : Result<bool>(false);
  }
  ::setsid();
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGHUP, &ignore, nullptr);
  const bool turned = ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
                      ::dup2(output, STDERR_FILENO) >= 0;
  ::close(output);
  ::close(input);
  return turned ? Result<bool>(true) : Result<bool>(SystemError("cannot write " + log));
}

}  // namespace safeguard::apps
