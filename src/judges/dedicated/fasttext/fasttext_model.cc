#include "judges/dedicated/fasttext/fasttext_model.h"

#include <fasttext/fasttext.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <functional>
#include <istream>
#include <new>
#include <streambuf>
#include <utility>
#include <vector>

#include "base/check.h"
#include "judges/dedicated/fasttext/fasttext_file.h"

namespace safeguard::judges {
namespace {

// No text of a content holds a control character, so none can pass for a label.
constexpr const char* kLabelPrefix = "\x01";
constexpr const char* kPositive = "\x01v";
constexpr const char* kNegative = "\x01s";

Error Failed(const std::string& what, const char* why) {
  return {ErrorCode::kUnavailable, what + ": " + why, "check the memory that is free"};
}

// A file in memory alone, by a name that the library can open.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("safeguard", MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] bool opened() const { return fd_ >= 0; }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

  [[nodiscard]] bool Write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
      if (count < 0 && errno != EINTR) {
        return false;
      }
      bytes.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return true;
  }

  [[nodiscard]] std::string ReadAll() const {
    std::string bytes;
    std::vector<char> buffer(std::size_t{1} << 20);
    off_t at = 0;
    while (true) {
      const ssize_t count = ::pread(fd_, buffer.data(), buffer.size(), at);
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        return bytes;  // a short read shows in CheckFastTextFile
      }
      bytes.append(buffer.data(), static_cast<std::size_t>(count));
      at += count;
    }
  }

 private:
  int fd_;
};

// A stream over bytes that are not copied.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view bytes) {
    char* begin = const_cast<char*>(bytes.data());  // std::streambuf has no read-only form
    setg(begin, begin, begin + bytes.size());
  }
};

class Model final : public FastTextModel {
 public:
  Model(std::unique_ptr<fasttext::FastText> library, std::string bytes)
      : library_(std::move(library)),
        bytes_(std::move(bytes)),
        dictionary_(library_->getDictionary()),
        input_(library_->getInputMatrix()),
        output_(library_->getOutputMatrix()) {
    positive_ = dictionary_->getLabel(0) == kPositive ? 0 : 1;
  }

  // The library's own prediction adds 1e-5 to every probability, which makes sure scores equal.
  [[nodiscard]] double LogOdds(std::string_view feature_text) const override {
    const std::string line =
        std::string(feature_text) + '\n';  // whose end is a word, as in training
    ViewBuffer buffer(line);
    std::istream in(&buffer);
    std::vector<std::int32_t> rows;
    std::vector<std::int32_t> labels;
    try {
      dictionary_->getLine(in, rows, labels);
    } catch (const std::exception&) {
      rows.clear();  // as a text without words
    }
    if (rows.empty()) {
      return 0;
    }
    fasttext::Vector hidden(input_->cols());
    hidden.zero();
    for (const std::int32_t row : rows) {
      hidden.addRow(*input_, row);
    }
    hidden.mul(1.0F / static_cast<float>(rows.size()));
    return double{output_->dotRow(hidden, positive_)} - output_->dotRow(hidden, 1 - positive_);
  }

  [[nodiscard]] const std::string& bytes() const override { return bytes_; }

 private:
  std::unique_ptr<fasttext::FastText> library_;
  std::string bytes_;
  std::shared_ptr<const fasttext::Dictionary> dictionary_;
  std::shared_ptr<const fasttext::DenseMatrix> input_;
  std::shared_ptr<const fasttext::DenseMatrix> output_;
  std::int64_t positive_ = 0;
};

fasttext::Args ArgumentsOf(const FastTextOptions& options, std::size_t examples,
                           const std::string& path) {
  fasttext::Args arguments;
  arguments.input = path;
  arguments.model = fasttext::model_name::sup;
  arguments.loss = fasttext::loss_name::softmax;
  arguments.label = kLabelPrefix;
  arguments.dim = options.dimension;
  arguments.wordNgrams = options.word_ngrams;
  arguments.minn = options.piece_min;
  arguments.maxn = options.piece_max;
  arguments.lr = options.learning_rate;
  arguments.epoch = options.epochs > 0  ? options.epochs
                    : examples < 2'000  ? 50
                    : examples < 20'000 ? 25
                                        : 10;
  arguments.bucket = options.buckets > 0 ? options.buckets : examples < 2'000 ? 50'000 : 200'000;
  arguments.minCount = 1;
  arguments.thread = 1;
  arguments.verbose = 0;
  arguments.seed = options.seed;
  return arguments;
}

}  // namespace

Result<std::unique_ptr<FastTextModel>> TrainFastText(std::span<const FastTextExample> examples,
                                                     const FastTextOptions& options,
                                                     const std::atomic<bool>* cancel) {
  std::string lines;
  for (const FastTextExample& example : examples) {
    CHECK(example.text.find_first_of("\n\x01") == std::string_view::npos);
    (lines += example.positive ? kPositive : kNegative) += ' ';
    (lines += example.text) += '\n';
  }
  const MemoryFile input;
  const MemoryFile output;
  if (!input.opened() || !output.opened() || !input.Write(lines)) {
    return std::unexpected(Failed("cannot hold the training texts", std::strerror(errno)));
  }
  const auto stopped = [cancel] { return cancel != nullptr && cancel->load(); };
  try {
    fasttext::FastText library;
    library.train(ArgumentsOf(options, examples.size(), input.path()),
                  [&](float, float, double, double, std::int64_t) {
                    if (stopped()) {
                      std::invoke(&fasttext::FastText::abort, library);  // ends the training alone
                    }
                  });
    library.saveModel(output.path());
  } catch (const fasttext::FastText::AbortError&) {
    return Fail(ErrorCode::kUnavailable, "interrupted: nothing was saved");
  } catch (const std::bad_alloc&) {
    return std::unexpected(Failed("cannot train the word model", "out of memory"));
  } catch (const std::exception& problem) {
    return Fail(ErrorCode::kInvalidInput,
                std::string("the word model cannot be trained on these texts: ") + problem.what(),
                "look whether the texts hold words");
  }
  return LoadFastText(output.ReadAll());
}

Result<std::unique_ptr<FastTextModel>> LoadFastText(std::string bytes) {
  if (const Status sound = CheckFastTextFile(bytes); !sound) {
    return std::unexpected(sound.error());
  }
  // By a name: from a stream the library does not learn which format it reads.
  const MemoryFile file;
  if (!file.opened() || !file.Write(bytes)) {
    return std::unexpected(Failed("cannot hold the word model", std::strerror(errno)));
  }
  try {
    auto library = std::make_unique<fasttext::FastText>();
    library->loadModel(file.path());
    return std::unique_ptr<FastTextModel>(
        std::make_unique<Model>(std::move(library), std::move(bytes)));
  } catch (const std::exception& problem) {
    return Fail(ErrorCode::kCorruptFile,
                std::string("the word model in it cannot be loaded: ") + problem.what(),
                "train it again, or install a good copy");
  }
}

}  // namespace safeguard::judges
