#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/file.h"
#include "eval/run_file/lines.h"

namespace safeguard::eval {
namespace {

using nlohmann::json;

std::unexpected<Error> SystemFailure(const std::string& what, const std::string& path) {
  return Fail(ErrorCode::kUnavailable, what + " " + path + ": " + std::strerror(errno),
              "check the disk and the permissions");
}

// What differs between two headers, as a person calls it; empty: nothing that matters.
std::string Difference(json before, json now) {
  const std::pair<const char*, const char*> fields[] = {
      {"policies", "the policies or what was learned for them"},
      {"judge", "the judge"},
      {"judge_identity", "the judge's model or settings"},
      {"prompting", "the prompting"},
      {"records", "the number of records"},
      {"sample", "the sample"},
      {"seed", "the seed"},
      {"folds", "the folds"},
      {"tool", "the version of safeguard"}};
  for (json* header : {&before, &now}) {
    (*header)["dataset"].erase("path");
  }
  if (before["dataset"] != now["dataset"]) {
    return "the data";
  }
  for (const auto& [field, name] : fields) {
    if (before[field] != now[field]) {
      return name;
    }
  }
  return {};
}

class Writer final : public RunWriter {
 public:
  Writer(std::string path, int file, std::span<const Record> records)
      : path_(std::move(path)), file_(file), records_(records) {}
  ~Writer() override { ::close(file_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Status Begin(const RunHeader& header) {
    if (::ftruncate(file_, 0) != 0) {
      return SystemFailure("cannot begin", path_);
    }
    const json::error_handler_t replace = json::error_handler_t::replace;
    return Write(HeaderJson(header).dump(-1, ' ', false, replace) + "\n");
  }

  Status Continue(std::string_view bytes, const RunHeader& header) {
    Result<WholeLines> lines = SplitRun(bytes, path_);
    if (!lines) {
      return std::unexpected(lines.error());
    }
    const Result<RunHeader> before = ReadHeader(lines->header);
    if (!before) {
      return Fail(before.error().code, path_ + ": " + before.error().message,
                  "give another file to --run");
    }
    const std::string difference = Difference(lines->header, json(HeaderJson(header)));
    if (!difference.empty()) {
      return Fail(ErrorCode::kInvalidInput,
                  path_ + " is of another run: " + difference + " differed",
                  "give another file to --run, or --restart to begin this one again");
    }
    for (const json& line : lines->cases) {
      Result<RunCase> recorded = ReadCase(line, header.policies);
      if (!recorded) {
        return std::unexpected(recorded.error());
      }
      const std::size_t index = recorded->judged.index;
      const bool same =
          index < records_.size() && recorded->content_hash == ContentHash(records_[index].content);
      if (!same || !kept_.try_emplace(index, std::move(recorded->judged)).second) {
        return Fail(ErrorCode::kCorruptFile,
                    path_ + " holds a case that is not of these data, or one twice",
                    "give --restart to begin again");
      }
    }
    if (::ftruncate(file_, static_cast<off_t>(lines->bytes)) != 0 ||
        ::lseek(file_, 0, SEEK_END) < 0) {
      return SystemFailure("cannot go on with", path_);
    }
    return {};
  }

  [[nodiscard]] const JudgedRecord* Find(std::size_t index) const override {
    const auto found = kept_.find(index);
    return found == kept_.end() ? nullptr : &found->second;
  }

  Status Keep(std::span<const JudgedRecord> batch) override {
    std::string lines;
    for (const JudgedRecord& judged : batch) {
      CHECK(judged.index < records_.size());
      lines += CaseLine(records_[judged.index], judged);
    }
    return Write(lines);
  }

  [[nodiscard]] std::size_t restored() const override { return kept_.size(); }

 private:
  Status Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_, bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) {
        return SystemFailure("cannot write", path_);
      }
      bytes.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    return ::fdatasync(file_) == 0 ? Status() : SystemFailure("cannot bring to the disk", path_);
  }

  std::string path_;
  int file_;
  std::span<const Record> records_;
  std::unordered_map<std::size_t, JudgedRecord> kept_;
};

}  // namespace

Result<std::unique_ptr<RunWriter>> RunWriter::Open(const std::string& path, const RunHeader& header,
                                                   std::span<const Record> records, bool restart) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  struct stat status{};
  if (file < 0 || ::fstat(file, &status) != 0) {
    const auto failure = SystemFailure("cannot open", path);
    if (file >= 0) {
      ::close(file);
    }
    return failure;
  }
  auto writer = std::make_unique<Writer>(path, file, records);
  if (!S_ISREG(status.st_mode)) {
    return Fail(ErrorCode::kInvalidInput, path + " is not a plain file",
                "give a file to --run, for example run.jsonl");
  }
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    return Fail(ErrorCode::kUnavailable, "another evaluation is writing " + path,
                "wait for it, or give another file");
  }
  std::string bytes;
  if (status.st_size > 0) {
    const auto mapped = MappedFile::Open(path);
    if (!mapped) {
      return std::unexpected(mapped.error());
    }
    bytes.assign(reinterpret_cast<const char*>((*mapped)->bytes().data()),
                 (*mapped)->bytes().size());
  }
  const bool has_header = bytes.find('\n') != std::string::npos;
  const std::string mark = std::string("{\"") + kRunMark + "\":";
  if (!bytes.starts_with(mark) && !mark.starts_with(bytes)) {  // a header cut short is ours
    return Fail(ErrorCode::kInvalidInput, path + " is there already and is not a run file",
                "give another file to --run");
  }
  const Status ready =
      !has_header || restart ? writer->Begin(header) : writer->Continue(bytes, header);
  if (!ready) {
    return std::unexpected(ready.error());
  }
  return writer;
}

}  // namespace safeguard::eval
