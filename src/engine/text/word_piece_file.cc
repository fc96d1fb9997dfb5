#include "engine/text/word_piece_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/text/tokenizer_json.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::json;

std::unexpected<Error> Corrupt(const std::string& field, const std::string& what) {
  return Fail(ErrorCode::kCorruptFile, "tokenizer.json: " + field + " " + what,
              "fetch the model's tokenizer.json again");
}

std::unexpected<Error> Unsupported(const std::string& field, const std::string& what) {
  return Fail(ErrorCode::kInvalidInput, "tokenizer.json: " + field + " is " + what,
              "only BERT's WordPiece tokenizers are supported");
}

// For messages: a cut could fall inside a character.
std::string Quoted(const std::string& name) {
  return name.size() <= 40 ? '"' + name + '"'
                           : "a name of " + std::to_string(name.size()) + " bytes";
}

// The member, or null when it is absent.
const Json& Member(const Json& object, const char* name) {
  static const Json null;
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}

Result<bool> Bool(const Json& object, const std::string& path, const char* name) {
  const Json& value = Member(object, name);
  if (!value.is_boolean()) {
    return Corrupt(path + "." + name, "is missing or neither true nor false");
  }
  return value.get<bool>();
}

Result<std::string> String(const Json& object, const std::string& path, const char* name) {
  const Json& value = Member(object, name);
  if (!value.is_string()) {
    return Corrupt(path + "." + name, "is missing or not a string");
  }
  return value.get<std::string>();
}

Result<std::uint32_t> Id(const Json& value, const std::string& path) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kTokenIdMax) {
    return Corrupt(path, "is missing or not a token id");
  }
  return value.get<std::uint32_t>();
}

// kInvalidInput unless `part` is an object whose "type" is `type`.
Status RequireType(const Json& part, const std::string& path, const std::string& type) {
  if (!part.is_object()) {
    return Corrupt(path, "is missing or not an object");
  }
  const Result<std::string> found = String(part, path, "type");
  if (!found) {
    return std::unexpected(found.error());
  }
  if (*found != type) {
    return Unsupported(path, "of type " + Quoted(*found) + ", not " + type);
  }
  return {};
}

// Each reader below fills its part of the file from its part of the document.

Status ReadNormalizer(const Json& root, WordPieceFile& file) {
  const Json& part = Member(root, "normalizer");
  if (part.is_null()) {
    file.normalizer = {false, false, false, false};
    return {};
  }
  if (Status status = RequireType(part, "normalizer", "BertNormalizer"); !status) {
    return status;
  }
  const Result<bool> clean = Bool(part, "normalizer", "clean_text");
  const Result<bool> chinese = Bool(part, "normalizer", "handle_chinese_chars");
  const Result<bool> lowercase = Bool(part, "normalizer", "lowercase");
  for (const Result<bool>* setting : {&clean, &chinese, &lowercase}) {
    if (!*setting) {
      return std::unexpected(setting->error());
    }
  }
  const bool follows = Member(part, "strip_accents").is_null();
  const Result<bool> accents = follows ? lowercase : Bool(part, "normalizer", "strip_accents");
  if (!accents) {
    return std::unexpected(accents.error());
  }
  file.normalizer = {*clean, *chinese, *accents, *lowercase};
  return {};
}

std::optional<std::uint32_t> FindToken(const TokenList& vocabulary, std::string_view token) {
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    if (vocabulary.bytes(i) == token) {
      return vocabulary.id(i);
    }
  }
  return std::nullopt;
}

Status ReadModel(TokenizerDocument& document, WordPieceFile& file) {
  const Json& model = Member(document.root, "model");
  if (Status status = RequireType(model, "model", "WordPiece"); !status) {
    return status;
  }
  if (!document.has_vocabulary || document.vocabulary.size() == 0) {
    return Corrupt("model.vocab", "is missing, empty or not an object");
  }
  file.vocabulary = std::move(document.vocabulary);
  const Result<std::string> unknown = String(model, "model", "unk_token");
  if (!unknown) {
    return std::unexpected(unknown.error());
  }
  const std::optional<std::uint32_t> id = FindToken(file.vocabulary, *unknown);
  if (!id) {
    return Corrupt("model.unk_token", "is not in model.vocab");
  }
  file.unknown = *id;
  const Result<std::string> prefix = String(model, "model", "continuing_subword_prefix");
  if (!prefix) {
    return std::unexpected(prefix.error());
  }
  file.continuing_prefix = *prefix;
  const Json& most = Member(model, "max_input_chars_per_word");
  if (!most.is_number_unsigned() || most.get<std::uint64_t>() < 1 ||
      most.get<std::uint64_t>() > kWordCharactersMax) {
    return Corrupt("model.max_input_chars_per_word",
                   "is missing or outside [1, " + std::to_string(kWordCharactersMax) + "]");
  }
  file.word_characters_max = most.get<std::size_t>();
  return {};
}

Status ReadAddedTokens(const Json& root, WordPieceFile& file,
                       std::vector<std::pair<std::string, std::uint32_t>>& added) {
  const Json& tokens = Member(root, "added_tokens");
  if (!tokens.is_null() && !tokens.is_array()) {
    return Corrupt("added_tokens", "is not an array");
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string path = "added_tokens[" + std::to_string(i) + "]";
    const Json& token = tokens[i];
    if (!token.is_object()) {
      return Corrupt(path, "is not an object");
    }
    const Result<std::string> content = String(token, path, "content");
    if (!content) {
      return std::unexpected(content.error());
    }
    const Result<bool> special = Bool(token, path, "special");
    if (!special) {
      return std::unexpected(special.error());
    }
    const Result<std::uint32_t> id = Id(Member(token, "id"), path + ".id");
    if (!id) {
      return std::unexpected(id.error());
    }
    if (!*special) {
      return Unsupported(path, "not a special token");
    }
    file.specials.push_back(*id);
    added.emplace_back(*content, *id);
  }
  return {};
}

// The id of the special token that stands at `at` in a TemplateProcessing's "single".
Result<std::uint32_t> TemplateId(const Json& part, std::size_t at) {
  const std::string path = "post_processor.single[" + std::to_string(at) + "].SpecialToken";
  const Json& piece = part["single"][at];
  const Json& special = piece.is_object() ? Member(piece, "SpecialToken") : piece;
  if (!special.is_object()) {
    return Unsupported("post_processor.single", "not [CLS] text [SEP]");
  }
  const Result<std::string> name = String(special, path, "id");
  if (!name) {
    return std::unexpected(name.error());
  }
  const Json& specials = Member(part, "special_tokens");
  const Json& entry = specials.is_object() ? Member(specials, name->c_str()) : specials;
  const Json& ids = entry.is_object() ? Member(entry, "ids") : entry;
  if (!ids.is_array() || ids.size() != 1) {
    return Corrupt("post_processor.special_tokens", "has not one id for a token of single");
  }
  return Id(ids[0], "post_processor.special_tokens: the id of " + Quoted(*name));
}

Status ReadTemplate(const Json& part, WordPieceFile& file) {
  const Json& single = Member(part, "single");
  if (!single.is_array() || single.size() != 3 || !single[1].is_object() ||
      !Member(single[1], "Sequence").is_object()) {
    return Unsupported("post_processor.single", "not [CLS] text [SEP]");
  }
  const Result<std::uint32_t> cls = TemplateId(part, 0);
  const Result<std::uint32_t> sep = cls ? TemplateId(part, 2) : cls;
  if (!sep) {
    return std::unexpected(sep.error());
  }
  file.cls = *cls;
  file.sep = *sep;
  return {};
}

Status ReadBertProcessing(const Json& part, WordPieceFile& file) {
  for (const char* name : {"cls", "sep"}) {
    const std::string path = std::string("post_processor.") + name;
    const Json& pair = Member(part, name);
    if (!pair.is_array() || pair.size() != 2) {
      return Corrupt(path, "is missing or not [token, id]");
    }
    const Result<std::uint32_t> id = Id(pair[1], path + "[1]");
    if (!id) {
      return std::unexpected(id.error());
    }
    (*name == 'c' ? file.cls : file.sep) = *id;
  }
  return {};
}

Status ReadPostProcessor(const Json& root, WordPieceFile& file,
                         const std::vector<std::pair<std::string, std::uint32_t>>& added) {
  const Json& part = Member(root, "post_processor");
  if (!part.is_null()) {
    if (part.is_object() && Member(part, "type") == "BertProcessing") {
      return ReadBertProcessing(part, file);
    }
    if (Status status = RequireType(part, "post_processor", "TemplateProcessing"); !status) {
      return status;
    }
    return ReadTemplate(part, file);
  }
  for (const char* name : {"[CLS]", "[SEP]"}) {
    std::optional<std::uint32_t> id = FindToken(file.vocabulary, name);
    const auto found =
        std::ranges::find(added, name, &std::pair<std::string, std::uint32_t>::first);
    if (!id && found != added.end()) {
      id = found->second;
    }
    if (!id) {
      return Corrupt("post_processor", std::string("is missing and no token is called ") + name);
    }
    (name[1] == 'C' ? file.cls : file.sep) = *id;
  }
  return {};
}

}  // namespace

Result<WordPieceFile> ReadWordPieceFile(std::string_view tokenizer_json) {
  Result<TokenizerDocument> document = ParseTokenizerDocument(tokenizer_json);
  if (!document) {
    return std::unexpected(std::move(document.error()));
  }
  if (!document->root.is_object()) {
    return Corrupt("the document", "is not an object");
  }
  const Json& root = document->root;
  WordPieceFile file;
  std::vector<std::pair<std::string, std::uint32_t>> added;
  Status status = ReadModel(*document, file);
  status = status ? ReadNormalizer(root, file) : status;
  status = status ? RequireType(Member(root, "pre_tokenizer"), "pre_tokenizer", "BertPreTokenizer")
                  : status;
  status = status ? ReadAddedTokens(root, file, added) : status;
  status = status ? ReadPostProcessor(root, file, added) : status;
  if (!status) {
    return std::unexpected(std::move(status.error()));
  }
  std::uint32_t highest = std::max({file.cls, file.sep, file.unknown});
  for (std::size_t i = 0; i < file.vocabulary.size(); ++i) {
    highest = std::max(highest, file.vocabulary.id(i));
  }
  for (const std::uint32_t id : file.specials) {
    highest = std::max(highest, id);
  }
  file.ids = std::size_t{highest} + 1;
  return file;
}

}  // namespace safeguard::engine
