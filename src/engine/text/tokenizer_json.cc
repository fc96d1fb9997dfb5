#include "engine/text/tokenizer_json.h"

#include <string>
#include <utility>

namespace safeguard::engine {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDepthMax = 32;
constexpr std::size_t kValuesMax = 1'000'000;

class DocumentBuilder final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return Place(nullptr); }
  bool boolean(bool value) override { return Place(value); }
  bool number_integer(number_integer_t value) override {
    return place_ == Where::kVocabulary ? AddToken(value) : Place(value);
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Where::kVocabulary) {
      return AddToken(value > kTokenIdMax ? -1 : static_cast<std::int64_t>(value));
    }
    return Place(value);
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return Place(value);
  }
  bool string(string_t& value) override {
    return place_ == Where::kMerges ? AddMergePart(value) : Place(std::move(value));
  }
  bool binary(binary_t& /*value*/) override { return Refuse("has a binary value"); }

  bool start_object(std::size_t /*size*/) override {
    const bool vocabulary = AtMember("vocab");
    if (!Open(Json::object())) {
      return false;
    }
    if (vocabulary) {
      place_ = Where::kVocabulary;
      document_.has_vocabulary = true;
    }
    return true;
  }
  bool key(string_t& name) override {
    if (place_ == Where::kVocabulary) {
      key_ = std::move(name);
      return true;
    }
    if (open_.back()->contains(name)) {
      return Refuse("has a key twice in one object: " +
                    (name.size() <= 40 ? name : std::to_string(name.size()) + " bytes long"));
    }
    path_.back() = std::move(name);
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t /*size*/) override {
    if (place_ == Where::kMerges) {
      if (in_pair_) {
        return RefuseMerge();
      }
      in_pair_ = true;
      pair_.clear();
      pair_parts_ = 0;
      return true;
    }
    const bool merges = AtMember("merges");
    if (!Open(Json::array())) {
      return false;
    }
    if (merges) {
      place_ = Where::kMerges;
      document_.has_merges = true;
    }
    return true;
  }
  bool end_array() override {
    if (!in_pair_) {
      return Close();
    }
    in_pair_ = false;
    return pair_parts_ == 2 ? AddMerge(pair_) : RefuseMerge();
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*why*/) override {
    return Refuse("is not well-formed JSON at byte " + std::to_string(position));
  }

  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  TokenizerDocument& document() { return document_; }

 private:
  enum class Where : std::uint8_t { kElsewhere, kVocabulary, kMerges };

  bool Refuse(const std::string& why) {
    refusal_ = "tokenizer.json " + why;
    return false;
  }

  // Whether the value that begins here is the model's member of that name.
  [[nodiscard]] bool AtMember(std::string_view name) const {
    return place_ == Where::kElsewhere && open_.size() == 2 && path_[0] == "model" &&
           path_[1] == name;
  }

  bool RefuseMerge() {
    return Refuse("model.merges entry " + std::to_string(document_.merges.size()) +
                  " is neither \"left right\" nor [\"left\", \"right\"]");
  }

  bool AddMerge(std::string_view merge) {
    const std::size_t space = merge.find(' ');
    if (space == 0 || space + 1 >= merge.size() ||
        merge.find(' ', space + 1) != std::string_view::npos) {
      return RefuseMerge();
    }
    document_.merges.Add(merge, static_cast<std::uint32_t>(document_.merges.size()));
    return true;
  }

  bool AddMergePart(std::string_view text) {
    if (!in_pair_) {
      return AddMerge(text);
    }
    pair_ += pair_parts_++ == 0 ? "" : " ";
    pair_ += text;
    return pair_parts_ <= 2 ? true : RefuseMerge();
  }

  bool AddToken(std::int64_t id) {
    if (id < 0 || id > kTokenIdMax) {
      return Refuse("model.vocab entry " + std::to_string(document_.vocabulary.size()) +
                    " has an id outside [0, " + std::to_string(kTokenIdMax) + "]");
    }
    document_.vocabulary.Add(key_, static_cast<std::uint32_t>(id));
    return true;
  }

  Json* Insert(Json value) {
    if (++values_ > kValuesMax) {
      Refuse("has over a million values outside model.vocab and model.merges");
      return nullptr;
    }
    if (open_.empty()) {
      document_.root = std::move(value);
      return &document_.root;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[path_.back()] = std::move(value));
  }

  bool Place(Json value) {
    if (place_ == Where::kVocabulary) {
      return Refuse("model.vocab entry " + std::to_string(document_.vocabulary.size()) +
                    " is not a whole number");
    }
    if (place_ == Where::kMerges) {
      return RefuseMerge();
    }
    return Insert(std::move(value)) != nullptr;
  }

  bool Open(Json container) {
    if (place_ != Where::kElsewhere) {
      return Place(nullptr);
    }
    if (open_.size() >= kDepthMax) {
      return Refuse("is nested over " + std::to_string(kDepthMax) + " levels");
    }
    Json* inserted = Insert(std::move(container));
    if (inserted == nullptr) {
      return false;
    }
    open_.push_back(inserted);
    path_.emplace_back();
    return true;
  }

  bool Close() {
    place_ = Where::kElsewhere;
    open_.pop_back();
    path_.pop_back();
    return true;
  }

  TokenizerDocument document_;
  std::vector<Json*> open_;        // stable: a container does not grow while a child of it is open
  std::vector<std::string> path_;  // the current key of each open container; "" in arrays
  std::string key_;                // of the vocabulary entry
  Where place_ = Where::kElsewhere;
  bool in_pair_ = false;  // in an array of model.merges
  std::string pair_;
  std::size_t pair_parts_ = 0;
  std::size_t values_ = 0;
  std::string refusal_;
};

}  // namespace

Result<TokenizerDocument> ParseTokenizerDocument(std::string_view json) {
  if (json.size() > kTokenizerJsonBytesMax) {
    return Fail(ErrorCode::kLimit, "tokenizer.json is over 64 MB");
  }
  DocumentBuilder builder;
  if (!Json::sax_parse(json, &builder)) {
    return Fail(ErrorCode::kCorruptFile, builder.refusal(),
                "fetch the model's tokenizer.json again");
  }
  return std::move(builder.document());
}

}  // namespace safeguard::engine
