#include <algorithm>
#include <utility>

#include "engine/special_tokens.h"
#include "engine/text/o200k/bpe_sources.h"
#include "engine/text/o200k/vocabulary.h"
#include "engine/text/o200k_split.h"
#include "engine/text/tokenizer_json.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::json;

std::unexpected<Error> Corrupt(const std::string& what) {
  return Fail(ErrorCode::kCorruptFile, "tokenizer.json: " + what,
              "fetch the model's tokenizer.json again");
}

std::unexpected<Error> Unsupported(const std::string& what) {
  return Fail(ErrorCode::kInvalidInput, "tokenizer.json: " + what,
              "only the o200k_harmony tokenizer of gpt-oss is supported");
}

std::unexpected<Error> InFile(Error error) {
  error.message = "tokenizer.json: " + error.message;
  return std::unexpected(std::move(error));
}

// The member, or null when it is absent or `object` is none.
const Json& Member(const Json& object, const char* name) {
  static const Json null;
  if (!object.is_object()) {
    return null;
  }
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}

bool IsType(const Json& part, const char* type) {
  return Member(part, "type") == type;
}

// True for an absent or null member and for one that is `value`.
bool IsNullOr(const Json& object, const char* name, const Json& value) {
  const Json& member = Member(object, name);
  return member.is_null() || member == value;
}

// Cut by o200k's expression, then taken byte for byte: nothing added, nothing cut again.
Status CheckSplit(const Json& root) {
  const Json& sequence = Member(root, "pre_tokenizer");
  const Json& steps = Member(sequence, "pretokenizers");
  if (!IsType(sequence, "Sequence") || !steps.is_array() || steps.size() != 2 ||
      !IsType(steps[0], "Split") || !IsType(steps[1], "ByteLevel")) {
    return Unsupported("pre_tokenizer is not a Split followed by ByteLevel");
  }
  const Json& split = steps[0];
  if (Member(Member(split, "pattern"), "Regex") != Json(kO200kPattern)) {
    return Unsupported("pre_tokenizer splits by another expression than o200k's");
  }
  if (Member(split, "behavior") != "Isolated" || !IsNullOr(split, "invert", false)) {
    return Unsupported("pre_tokenizer's Split is not Isolated, or inverted");
  }
  if (Member(steps[1], "add_prefix_space") != false || Member(steps[1], "use_regex") != false) {
    return Unsupported("pre_tokenizer's ByteLevel adds a space or splits again");
  }
  return {};
}

Status CheckModel(const Json& model) {
  if (!IsType(model, "BPE")) {
    return Unsupported("model is not BPE");
  }
  for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!IsNullOr(model, name, "")) {
      return Unsupported(std::string("model.") + name + " is set");
    }
  }
  if (!IsNullOr(model, "dropout", 0.0) || !Member(model, "unk_token").is_null() ||
      !IsNullOr(model, "byte_fallback", false)) {
    return Unsupported("model has a dropout, an unknown token or a byte fallback");
  }
  const Json& whole = Member(model, "ignore_merges");
  if (!whole.is_null() && !whole.is_boolean()) {
    return Corrupt("model.ignore_merges is neither true nor false");
  }
  return {};
}

Status CheckSettings(const Json& root) {
  if (!Member(root, "normalizer").is_null()) {
    return Unsupported("normalizer changes the text");
  }
  if (!IsType(Member(root, "decoder"), "ByteLevel")) {
    return Unsupported("decoder is not ByteLevel");
  }
  // The post-processor only adds control tokens around a text, which here the renderer does.
  Status status = CheckSplit(root);
  return status ? CheckModel(Member(root, "model")) : status;
}

Status ReadAddedTokens(const Json& root, std::vector<NamedToken>& named) {
  const Json& tokens = Member(root, "added_tokens");
  if (!tokens.is_array()) {
    return Corrupt("added_tokens is missing or not an array");
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Json& id = Member(tokens[i], "id");
    const Json& content = Member(tokens[i], "content");
    const std::string place = "added_tokens[" + std::to_string(i) + "]";
    if (!content.is_string() || !id.is_number_unsigned()) {
      return Corrupt(place + " has no content or no id");
    }
    if (id.get<std::uint64_t>() < kOrdinaryTokens || id.get<std::uint64_t>() > kVocabularyRows) {
      return Unsupported(place + " has an id outside [199998, 201088]");
    }
    named.push_back({content.get_ref<const std::string&>(), id.get<std::uint32_t>()});
  }
  return {};
}

// The spellings by id, which must count up from 0 in some order. Control tokens may stand among
// them, under their ids.
Result<std::vector<std::string_view>> OrderById(const TokenList& vocabulary,
                                                std::vector<NamedToken>& named) {
  std::vector<std::string_view> spelled(std::min<std::size_t>(vocabulary.size(), kOrdinaryTokens));
  std::size_t ordinary = 0;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const std::uint32_t id = vocabulary.id(i);
    if (id >= kOrdinaryTokens) {
      named.push_back({vocabulary.bytes(i), id});
      continue;
    }
    if (id >= spelled.size() || !spelled[id].empty() || vocabulary.bytes(i).empty()) {
      return Corrupt("model.vocab: its ids do not count up from 0, or a token is empty: id " +
                     std::to_string(id));
    }
    spelled[id] = vocabulary.bytes(i);
    ++ordinary;
  }
  if (spelled.size() > ordinary) {
    for (std::size_t id = ordinary; id < spelled.size(); ++id) {
      if (!spelled[id].empty()) {
        return Corrupt("model.vocab: its ids do not count up from 0");
      }
    }
    spelled.resize(ordinary);
  }
  return spelled;
}

Status AddMerges(const TokenizerDocument& document, BpeParts& parts) {
  if (!document.has_merges) {
    return Corrupt("model.merges is missing or not an array");
  }
  Result<MergeTable> merges =
      MergeTable::Build(parts.tokens, document.merges.size(),
                        [&](std::size_t i) { return document.merges.bytes(i); });
  if (!merges) {
    return InFile(std::move(merges.error()));
  }
  if (!merges->FollowsIds(parts.tokens)) {
    parts.merges = std::move(*merges);
    parts.whole_pieces = Member(Member(document.root, "model"), "ignore_merges") == true;
  }
  return {};
}

}  // namespace

Result<BpeParts> ReadBpeJson(std::string_view tokenizer_json) {
  const Result<TokenizerDocument> document = ParseTokenizerDocument(tokenizer_json);
  if (!document) {
    return std::unexpected(document.error());
  }
  std::vector<NamedToken> named;
  Status status = CheckSettings(document->root);
  status = status ? ReadAddedTokens(document->root, named) : status;
  if (!status) {
    return std::unexpected(std::move(status.error()));
  }
  const Result<std::vector<std::string_view>> spelled = OrderById(document->vocabulary, named);
  if (!spelled) {
    return std::unexpected(spelled.error());
  }
  if (Status control = CheckControlTokens(named); !control) {
    return InFile(std::move(control.error()));
  }
  Result<TokenTable> tokens = BuildOrdinaryTokens(*spelled);
  if (!tokens) {
    return InFile(std::move(tokens.error()));
  }
  BpeParts parts{std::move(*tokens), std::nullopt, true};
  if (Status merges = AddMerges(*document, parts); !merges) {
    return std::unexpected(std::move(merges.error()));
  }
  return parts;
}

}  // namespace safeguard::engine
