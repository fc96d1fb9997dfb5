#include "apps/batch/batch_output.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "apps/output/verdict_json.h"
#include "base/file.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kJournalBytesMax = std::size_t{1} << 30;
constexpr const char* kRestartHint = "--restart begins again and overwrites it";

std::string JournalPath(const std::string& path) {
  return path + ".resume";
}

std::unexpected<Error> SystemError(const std::string& what, const std::string& path) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return Fail(ErrorCode::kUnavailable, what + " " + path + ": " + std::strerror(error),
              full ? "make room and run the same command again: it goes on where it stopped" : "");
}

std::string CheckpointLine(const Checkpoint& checkpoint) {
  return JsonLine({{"entries", checkpoint.entries},
                   {"unreadable", checkpoint.unreadable},
                   {"input_hash", checkpoint.input_hash},
                   {"output_bytes", checkpoint.output_bytes},
                   {"complete", checkpoint.complete},
                   {"violations", checkpoint.tally.violations},
                   {"safe", checkpoint.tally.safe},
                   {"undetermined", checkpoint.tally.undetermined}}) +
         "\n";
}

std::optional<Checkpoint> ParseCheckpoint(std::string_view line) {
  const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
  for (const char* field :
       {"entries", "unreadable", "output_bytes", "violations", "safe", "undetermined"}) {
    if (!json.is_object() || !json.contains(field) || !json[field].is_number_unsigned()) {
      return std::nullopt;
    }
  }
  if (!json.contains("input_hash") || !json["input_hash"].is_string() ||
      !json.contains("complete") || !json["complete"].is_boolean()) {
    return std::nullopt;
  }
  Checkpoint checkpoint;
  checkpoint.entries = json["entries"].get<std::uint64_t>();
  checkpoint.unreadable = json["unreadable"].get<std::uint64_t>();
  checkpoint.input_hash = json["input_hash"].get<std::string>();
  checkpoint.output_bytes = json["output_bytes"].get<std::uint64_t>();
  checkpoint.complete = json["complete"].get<bool>();
  checkpoint.tally.violations = json["violations"].get<std::size_t>();
  checkpoint.tally.safe = json["safe"].get<std::size_t>();
  checkpoint.tally.undetermined = json["undetermined"].get<std::size_t>();
  return checkpoint;
}

// What differs, in the words of the identity's keys.
std::string Differences(const nlohmann::json& before, const nlohmann::json& now) {
  std::string names;
  for (const auto& [key, value] : now.items()) {
    if (!before.contains(key) || before[key] != value) {
      names += (names.empty() ? "" : ", ") + key;
    }
  }
  return names;
}

struct Journal {
  nlohmann::json identity;
  Checkpoint last;             // the last one that the output covers
  std::size_t last_bytes = 0;  // of the journal up to and with it
};

// The whole lines of the journal; a torn last line is as if it had never been written. Nothing when
// not even the first is whole.
std::optional<Journal> ParseJournal(std::string_view text, std::uint64_t output_bytes) {
  const std::size_t first_end = text.find('\n');
  if (first_end == std::string_view::npos) {
    return std::nullopt;
  }
  Journal journal;
  journal.identity = nlohmann::json::parse(text.substr(0, first_end), nullptr, false);
  if (!journal.identity.is_object()) {
    return std::nullopt;
  }
  journal.last_bytes = first_end + 1;
  std::size_t begin = first_end + 1;
  while (begin < text.size()) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) {
      break;
    }
    const std::optional<Checkpoint> checkpoint = ParseCheckpoint(text.substr(begin, end - begin));
    if (!checkpoint || checkpoint->output_bytes > output_bytes) {
      break;
    }
    journal.last = *checkpoint;
    journal.last_bytes = end + 1;
    begin = end + 1;
  }
  return journal;
}

}  // namespace

Result<BatchState> PeekBatch(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const Error error = SystemError("cannot read", path).error();
    return Fail(errno == ENOENT ? ErrorCode::kNotFound : error.code, error.message, error.hint);
  }
  struct stat status{};
  const bool known = ::fstat(fd, &status) == 0;
  BatchState state;
  // The lock is given back at once; a batch that begins in between says that another is writing.
  state.running = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  if (!known) {
    return SystemError("cannot read", path);
  }
  const Result<std::string> text = ReadFile(JournalPath(path), kJournalBytesMax);
  if (!text) {
    return std::unexpected(text.error());
  }
  const std::optional<Journal> journal =
      ParseJournal(*text, static_cast<std::uint64_t>(status.st_size));
  if (!journal) {
    return Fail(ErrorCode::kCorruptFile, JournalPath(path) + " is not readable");
  }
  state.last = journal->last;
  return state;
}

Result<std::unique_ptr<BatchOutput>> BatchOutput::Open(const BatchOutputOptions& options) {
  if (options.path == "-") {
    const int fd = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) {
      return SystemError("cannot write", "standard output");
    }
    return std::unique_ptr<BatchOutput>(new BatchOutput("standard output", fd));
  }
  const int fd = ::open(options.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return SystemError("cannot write", options.path);
  }
  std::unique_ptr<BatchOutput> output(new BatchOutput(options.path, fd));
  struct stat status{};
  if (::fstat(fd, &status) != 0) {
    return SystemError("cannot read", options.path);
  }
  if (!S_ISREG(status.st_mode)) {
    return output;
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return Fail(ErrorCode::kUnavailable, "another batch is writing " + options.path,
                "wait for it, or choose another --out");
  }
  const Status journal = output->OpenJournal(options);
  if (!journal) {
    return std::unexpected(journal.error());
  }
  return output;
}

BatchOutput::~BatchOutput() {
  for (const int fd : {journal_, output_}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
}

Status BatchOutput::OpenJournal(const BatchOutputOptions& options) {
  const std::string path = JournalPath(path_);
  struct stat status{};
  if (::fstat(output_, &status) != 0) {
    return SystemError("cannot read", path_);
  }
  const auto output_bytes = static_cast<std::uint64_t>(status.st_size);
  Result<std::string> journal = ReadFile(path, kJournalBytesMax);
  const bool there = journal.has_value();
  if (!there && journal.error().code != ErrorCode::kNotFound && !options.restart) {
    return std::unexpected(journal.error());
  }
  if (options.restart || output_bytes == 0) {
    // A journal of an empty output may still hold checkpoints: of entries that gave no line.
    const bool go_on = !options.restart && there && ParseJournal(*journal, output_bytes);
    return go_on ? Continue(*journal, output_bytes, options.identity) : Begin(options.identity);
  }
  if (!there) {
    return Fail(ErrorCode::kInvalidInput,
                path_ + " is already there, and there is no " + path + " to go on from",
                kRestartHint);
  }
  return Continue(*journal, output_bytes, options.identity);
}

// The order matters: at no moment does an old journal stand beside a new output, or a journal
// promise more than the output holds.
Status BatchOutput::Begin(const nlohmann::json& identity) {
  const std::string path = JournalPath(path_);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return SystemError("cannot remove", path);
  }
  if (::ftruncate(output_, 0) != 0) {
    return SystemError("cannot empty", path_);
  }
  journal_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (journal_ < 0) {
    return SystemError("cannot write", path);
  }
  return Write(journal_, path, identity.dump() + "\n");
}

Status BatchOutput::Continue(const std::string& journal, std::uint64_t output_bytes,
                             const nlohmann::json& identity) {
  const std::string path = JournalPath(path_);
  const std::optional<Journal> parsed = ParseJournal(journal, output_bytes);
  if (!parsed) {
    return Fail(ErrorCode::kCorruptFile, path + " is not readable", kRestartHint);
  }
  const std::string differences = Differences(parsed->identity, identity);
  if (!differences.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                path_ + " was begun with something else (" + differences + ")", kRestartHint);
  }
  start_ = parsed->last;
  bytes_ = start_.output_bytes;
  journal_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (journal_ < 0) {
    return SystemError("cannot write", path);
  }
  const auto journal_bytes = static_cast<off_t>(parsed->last_bytes);
  if (::ftruncate(journal_, journal_bytes) != 0 || ::lseek(journal_, journal_bytes, SEEK_SET) < 0) {
    return SystemError("cannot cut", path);
  }
  const auto kept = static_cast<off_t>(bytes_);
  if (::ftruncate(output_, kept) != 0 || ::lseek(output_, kept, SEEK_SET) < 0) {
    return SystemError("cannot cut", path_);
  }
  return {};
}

Status BatchOutput::Write(int fd, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      reader_gone_ = errno == EPIPE;
      return SystemError("cannot write", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Status BatchOutput::Append(std::string_view lines) {
  const Status written = Write(output_, path_, lines);
  if (written) {
    bytes_ += lines.size();
  }
  return written;
}

Status BatchOutput::Commit(Checkpoint checkpoint) {
  if (journal_ < 0) {
    return {};
  }
  if (::fdatasync(output_) != 0) {
    return SystemError("cannot write", path_);
  }
  checkpoint.output_bytes = bytes_;
  return Write(journal_, JournalPath(path_), CheckpointLine(checkpoint));
}

}  // namespace safeguard::apps
