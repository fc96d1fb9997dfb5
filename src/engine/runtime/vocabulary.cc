#include "engine/vocabulary.h"

#include <string>
#include <utility>

#include "base/check.h"

namespace safeguard::engine {
namespace {

class BpeVocabulary final : public Vocabulary {
 public:
  BpeVocabulary(const Bpe& bpe, std::size_t size) : bpe_(bpe) {
    begins_.reserve(size + 1);
    for (std::size_t id = 0; id < size; ++id) {
      begins_.push_back(bytes_.size());
      const Result<std::string> token = bpe.Decode({static_cast<std::uint32_t>(id)});
      bytes_ += token ? *token : "";
    }
    begins_.push_back(bytes_.size());
  }

  [[nodiscard]] std::size_t size() const override { return begins_.size() - 1; }

  [[nodiscard]] std::string_view Bytes(std::uint32_t id) const override {
    CHECK(id < size());
    return std::string_view(bytes_).substr(begins_[id], begins_[id + 1] - begins_[id]);
  }

  [[nodiscard]] std::vector<std::uint32_t> Encode(std::string_view text) const override {
    return bpe_.Encode(text);
  }

 private:
  const Bpe& bpe_;
  std::string bytes_;  // of all ids, one after the other
  std::vector<std::size_t> begins_;
};

}  // namespace

std::unique_ptr<Vocabulary> MakeVocabulary(const Bpe& bpe, std::size_t size) {
  return std::make_unique<BpeVocabulary>(bpe, size);
}

}  // namespace safeguard::engine
