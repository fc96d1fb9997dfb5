#include "engine/text/word_piece_file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/text/tokenizer_json.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::json;

Json Good() {
  return Json::parse(R"({
    "added_tokens": [{"id": 5, "content": "[CLS]", "special": true},
                     {"id": 6, "content": "[SEP]", "special": true}],
    "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": false,
                   "strip_accents": null, "lowercase": true},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A"}},
                 {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
      "special_tokens": {"[CLS]": {"ids": [5]}, "[SEP]": {"ids": [6]}}},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "a": 1, "##b": 2}}
  })");
}

struct Change {
  const char* at;  // JSON pointer
  const char* value;
};

Error Refused(const std::vector<Change>& changes) {
  Json json = Good();
  for (const Change& change : changes) {
    json[Json::json_pointer(change.at)] = Json::parse(change.value);
  }
  const auto file = ReadWordPieceFile(json.dump());
  EXPECT_FALSE(file.has_value()) << changes[0].at << " = " << changes[0].value;
  return file ? Error{} : file.error();
}

TEST(WordPieceFile, ReadsWhatItSays) {
  const auto file = ReadWordPieceFile(Good().dump());
  ASSERT_TRUE(file.has_value()) << Describe(file.error());
  EXPECT_TRUE(file->normalizer.clean_text);
  EXPECT_FALSE(file->normalizer.handle_chinese_chars);
  EXPECT_TRUE(file->normalizer.strip_accents) << "null follows lowercase";
  EXPECT_TRUE(file->normalizer.lowercase);
  EXPECT_EQ(file->continuing_prefix, "##");
  EXPECT_EQ(file->word_characters_max, 100U);
  EXPECT_EQ(file->vocabulary.size(), 3U);
  EXPECT_EQ(file->cls, 5U);
  EXPECT_EQ(file->sep, 6U);
  EXPECT_EQ(file->unknown, 0U);
  EXPECT_EQ(file->ids, 7U);
}

TEST(WordPieceFile, BertProcessing) {
  Json json = Good();
  json["post_processor"] = {
      {"type", "BertProcessing"}, {"sep", {"[SEP]", 6}}, {"cls", {"[CLS]", 5}}};
  const auto file = ReadWordPieceFile(json.dump());
  ASSERT_TRUE(file.has_value()) << Describe(file.error());
  EXPECT_EQ(file->cls, 5U);
  EXPECT_EQ(file->sep, 6U);
}

TEST(WordPieceFile, WithoutPostProcessorTheNamesDecide) {
  Json json = Good();
  json["post_processor"] = nullptr;
  const auto file = ReadWordPieceFile(json.dump());
  ASSERT_TRUE(file.has_value()) << Describe(file.error());
  EXPECT_EQ(file->cls, 5U);
  EXPECT_EQ(file->sep, 6U);
  json["added_tokens"].erase(1);
  EXPECT_FALSE(ReadWordPieceFile(json.dump()).has_value());
}

TEST(WordPieceFile, OtherKindsAreInvalidInput) {
  for (const Change& change : std::vector<Change>{
           {"/model/type", "\"BPE\""},
           {"/normalizer/type", "\"NFC\""},
           {"/pre_tokenizer/type", "\"ByteLevel\""},
           {"/post_processor/type", "\"RobertaProcessing\""},
           {"/post_processor/single", "[]"},
           {"/post_processor/single/1", R"({"SpecialToken": {"id": "[SEP]"}})"},
           {"/post_processor/single/0", R"({"Sequence": {"id": "A"}})"},
           {"/added_tokens/0/special", "false"},
       }) {
    EXPECT_EQ(Refused({change}).code, ErrorCode::kInvalidInput) << change.at;
  }
}

TEST(WordPieceFile, CorruptFilesNameTheField) {
  struct Case {
    Change change;
    const char* named;
  };
  for (const Case& c : std::vector<Case>{
           {{"/model", "null"}, "model"},
           {{"/model/type", "3"}, "model.type"},
           {{"/model/vocab", "[]"}, "model.vocab"},
           {{"/model/vocab", "{}"}, "model.vocab"},
           {{"/model/vocab/a", "-1"}, "model.vocab entry"},
           {{"/model/vocab/a", "1.5"}, "model.vocab entry"},
           {{"/model/vocab/a", "\"1\""}, "model.vocab entry"},
           {{"/model/vocab/a", "[1]"}, "model.vocab entry"},
           {{"/model/vocab/a", "{}"}, "model.vocab entry"},
           {{"/model/vocab/a", "null"}, "model.vocab entry"},
           {{"/model/vocab/a", "18446744073709551615"}, "model.vocab entry"},
           {{"/model/vocab/a", "99999999999999999999999"}, "model.vocab entry"},
           {{"/model/unk_token", "\"[NONE]\""}, "model.unk_token"},
           {{"/model/unk_token", "7"}, "model.unk_token"},
           {{"/model/continuing_subword_prefix", "null"}, "model.continuing_subword_prefix"},
           {{"/model/max_input_chars_per_word", "0"}, "model.max_input_chars_per_word"},
           {{"/model/max_input_chars_per_word", "1000000000"}, "model.max_input_chars_per_word"},
           {{"/model/max_input_chars_per_word", "-100"}, "model.max_input_chars_per_word"},
           {{"/normalizer", "[]"}, "normalizer"},
           {{"/normalizer/clean_text", "1"}, "normalizer.clean_text"},
           {{"/normalizer/lowercase", "null"}, "normalizer.lowercase"},
           {{"/normalizer/strip_accents", "\"yes\""}, "normalizer.strip_accents"},
           {{"/pre_tokenizer", "null"}, "pre_tokenizer"},
           {{"/post_processor", "4"}, "post_processor"},
           {{"/post_processor/special_tokens", "[]"}, "post_processor.special_tokens"},
           {{"/post_processor/special_tokens/[SEP]/ids", "[1, 2]"},
            "post_processor.special_tokens"},
           {{"/post_processor/special_tokens/[SEP]/ids/0", "-6"}, "[SEP]"},
           {{"/added_tokens", "{\"a\": 1}"}, "added_tokens"},
           {{"/added_tokens/1", "6"}, "added_tokens[1]"},
           {{"/added_tokens/1/id", "4294967296"}, "added_tokens[1].id"},
           {{"/added_tokens/1/content", "null"}, "added_tokens[1].content"},
       }) {
    const Error error = Refused({c.change});
    EXPECT_EQ(error.code, ErrorCode::kCorruptFile) << c.change.at << " = " << c.change.value;
    EXPECT_NE(error.message.find(c.named), std::string::npos) << error.message;
  }
}

TEST(WordPieceFile, EveryPrefixIsRefused) {
  const std::string json = Good().dump();
  for (std::size_t size = 0; size < json.size(); ++size) {
    const auto file = ReadWordPieceFile(json.substr(0, size));
    ASSERT_FALSE(file.has_value()) << size;
    EXPECT_EQ(file.error().code, ErrorCode::kCorruptFile);
  }
}

TEST(WordPieceFile, HostileJson) {
  for (const std::string& json :
       {std::string("3"), std::string("[]"), std::string("\xFF\xFE"), std::string(100'000, '['),
        std::string(R"({"model": {"vocab": {"a": 1, "\ud800": 2}}})"),
        std::string(R"({"a": 1, "a": 2})"), std::string(R"({"model": {"vocab": {)")}) {
    const auto file = ReadWordPieceFile(json);
    ASSERT_FALSE(file.has_value()) << json.substr(0, 40);
    EXPECT_EQ(file.error().code, ErrorCode::kCorruptFile) << json.substr(0, 40);
  }
  std::string wide = "[0";
  for (int i = 0; i < 1'000'001; ++i) {
    wide += ",0";
  }
  EXPECT_EQ(ReadWordPieceFile(wide + "]").error().code, ErrorCode::kCorruptFile);
  EXPECT_EQ(ReadWordPieceFile(std::string(kTokenizerJsonBytesMax + 1, ' ')).error().code,
            ErrorCode::kLimit);
}

TEST(WordPieceFile, AVocabularyElsewhereIsNotTheVocabulary) {
  Json json = Good();
  json["vocab"] = {{"model", {{"vocab", {{"x", "y"}}}}}};
  const auto file = ReadWordPieceFile(json.dump());
  ASSERT_TRUE(file.has_value()) << Describe(file.error());
  EXPECT_EQ(file->vocabulary.size(), 3U);
}

}  // namespace
}  // namespace safeguard::engine
