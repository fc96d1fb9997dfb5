#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <thread>

#include "apps/doctor/finding.h"
#include "apps/output/byte_size.h"
#include "base/file.h"
#include "base/utc_time.h"

namespace safeguard::apps {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kScreenMemory = 512 * kMiB;     // the screen with its policies, and room
constexpr std::uint64_t kReasonerMemory = 2048 * kMiB;  // beside its weights: keys and values
constexpr std::uint64_t kDiskLeast = 64 * kMiB;
constexpr std::uint64_t kDiskSmall = 1024 * kMiB;
constexpr std::uint64_t kFilesBesideConnections = 256;
constexpr std::int64_t kClockLeast = 1'735'689'600'000;  // 2025-01-01: before this was written

// "MemAvailable:   123 kB" as bytes; 0 where it is not there.
std::uint64_t MemoryLine(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name + ":");
  std::uint64_t kib = 0;
  if (at != std::string::npos) {
    std::istringstream(text.substr(at + name.size() + 1)) >> kib;
  }
  return kib << 10U;
}

std::string FirstLine(const std::string& path) {
  const Result<std::string> text = ReadFile(path, 4096);
  return text ? text->substr(0, text->find('\n')) : "";
}

// The folder itself, or the nearest one above it that is there.
std::string Existing(const std::string& folder) {
  std::error_code failed;
  std::filesystem::path path = std::filesystem::absolute(folder.empty() ? "." : folder, failed);
  while (!path.empty() && !std::filesystem::exists(path, failed) && path != path.parent_path()) {
    path = path.parent_path();
  }
  return path.string();
}

void CheckMemory(const MachineFacts& facts, std::uint64_t model_bytes, Findings& findings) {
  const std::uint64_t need =
      kScreenMemory + (model_bytes == 0 ? 0 : model_bytes + model_bytes / 7 + kReasonerMemory);
  const std::string has = fmt::format("{} of memory, {} of it free", ByteSize(facts.memory),
                                      ByteSize(facts.memory_available));
  const char* whose = model_bytes == 0 ? "the screen" : "this model";
  if (facts.memory < need) {
    findings.Fault(fmt::format("{}; {} needs about {}", has, whose, ByteSize(need)),
                   model_bytes == 0 ? "run it on a larger machine"
                                    : "run it on a larger machine, or judge with the screen alone");
  } else if (facts.memory_available < need) {
    findings.Warn(fmt::format("{}; {} needs about {}", has, whose, ByteSize(need)),
                  "stop what else uses the memory before you start it");
  } else {
    findings.Ok(fmt::format("{}; {} needs about {}", has, whose, ByteSize(need)));
  }
}

void CheckLimits(const MachineFacts& facts, std::uint64_t model_bytes, std::size_t connections,
                 Findings& findings) {
  const std::uint64_t wanted = connections + kFilesBesideConnections;
  if (facts.open_files < wanted) {
    findings.Warn(fmt::format("a process may have {} files open; {} connections want {}",
                              facts.open_files, connections, wanted),
                  "raise the limit (LimitNOFILE= in the systemd unit, ulimit -n in a shell), or "
                  "serve fewer --connections");
  } else {
    findings.Ok(fmt::format("a process may have {} files open", facts.open_files));
  }
  if (facts.huge_pages.find("[never]") != std::string::npos) {
    const std::string hint =
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, as root: the reasoner reads "
        "its weights faster";
    model_bytes == 0 ? findings.Ok("huge pages are off; the screen does not need them")
                     : findings.Warn("huge pages are off", hint);
  } else if (!facts.huge_pages.empty()) {
    findings.Ok("huge pages are on: " + facts.huge_pages);
  }
}

}  // namespace

const char* ToString(Health health) {
  return health == Health::kOk ? "ok" : health == Health::kWarning ? "warning" : "error";
}

std::size_t Findings::Count(Health health) const {
  return static_cast<std::size_t>(std::ranges::count(all_, health, &Finding::health));
}

MachineFacts ReadMachine(const std::string& data_folder, Services& services) {
  MachineFacts facts;
  facts.cores = std::thread::hardware_concurrency();
  facts.screen_kernels = services.ScreenKernels();
  facts.reasoner_kernels = services.ReasonerKernels();
  const std::string memory = ReadFile("/proc/meminfo", kMiB).value_or("");
  facts.memory = MemoryLine(memory, "MemTotal");
  facts.memory_available = MemoryLine(memory, "MemAvailable");
  facts.huge_pages = FirstLine("/sys/kernel/mm/transparent_hugepage/enabled");
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    facts.open_files = files.rlim_cur;
  }
  facts.disk_folder = Existing(data_folder);
  struct statvfs disk{};
  if (::statvfs(facts.disk_folder.c_str(), &disk) == 0) {
    facts.disk_free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  }
  facts.now = UtcNow();
  timex clock{};  // no modes: it is read, not set
  const int state = ::adjtimex(&clock);
  facts.clock_synchronised = state < 0 || state != TIME_ERROR;
  return facts;
}

void CheckMachine(const MachineFacts& facts, std::uint64_t model_bytes, std::size_t connections,
                  Findings& findings) {
  findings.Begin("machine");
  const std::string processor = fmt::format("{} {}; kernels: screen {}, reasoner {}", facts.cores,
                                            facts.cores == 1 ? "core" : "cores",
                                            facts.screen_kernels, facts.reasoner_kernels);
  if (facts.screen_kernels.starts_with("reference") ||
      facts.reasoner_kernels.starts_with("reference")) {
    findings.Warn(processor,
                  "this processor lacks AVX2 and FMA, or SAFEGUARD_KERNELS hides them: "
                  "everything works, many times slower");
  } else {
    findings.Ok(processor);
  }
  CheckMemory(facts, model_bytes, findings);
  const std::string disk =
      fmt::format("{} free on the disk of {}", ByteSize(facts.disk_free), facts.disk_folder);
  if (facts.disk_free < kDiskLeast) {
    findings.Fault(disk, "make room: a verdict that cannot be recorded is not given");
  } else if (facts.disk_free < kDiskSmall) {
    findings.Warn(disk, "make room: a verdict takes about a kilobyte, with its text as much more");
  } else {
    findings.Ok(disk);
  }
  CheckLimits(facts, model_bytes, connections, findings);
  const std::string time = "the clock says " + UtcText(facts.now);
  if (facts.now < kClockLeast) {
    findings.Fault(time, "set it: certificates, keys and every record depend on it");
  } else if (!facts.clock_synchronised) {
    findings.Warn(time + "; nothing keeps it right",
                  "run chrony or systemd-timesyncd (inside a container: on its host)");
  } else {
    findings.Ok(time);
  }
}

}  // namespace safeguard::apps
