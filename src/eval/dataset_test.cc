#include "eval/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace safeguard::eval {
namespace {

using moderation::ContentKind;
using moderation::Outcome;
using moderation::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<Entry> ReadAll(const std::string& bytes, const ReadOptions& options = {}) {
  std::istringstream in(bytes);
  auto reader = ReadRecords(in, "test data", options);
  EXPECT_TRUE(reader) << Describe(reader.error());
  std::vector<Entry> entries;
  while (reader) {
    std::optional<Entry> entry = (*reader)->Next();
    if (!entry) {
      break;
    }
    entries.push_back(std::move(*entry));
  }
  return entries;
}

Record ReadOne(const std::string& bytes, const ReadOptions& options = {}) {
  std::vector<Entry> entries = ReadAll(bytes, options);
  EXPECT_EQ(entries.size(), 1U);
  EXPECT_TRUE(entries.at(0).record) << Describe(entries.at(0).record.error());
  return entries.at(0).record.value_or(Record());
}

Error FailToOpen(const std::string& bytes, const ReadOptions& options = {}) {
  std::istringstream in(bytes);
  auto reader = ReadRecords(in, "test data", options);
  EXPECT_FALSE(reader);
  return reader ? Error() : reader.error();
}

TEST(DatasetTest, JsonlWithEveryField) {
  const Record record = ReadOne(
      R"({"id": 7, "text": "buy now", "expected": "violation", "label": "SP2", "rules": ["SP2.a"],)"
      R"( "surface": "comment", "language": "en", "tags": ["boundary", "x"]})");
  EXPECT_EQ(record.content.kind, ContentKind::kUserMessage);
  EXPECT_EQ(record.content.messages.at(0).text, "buy now");
  EXPECT_EQ(record.content.id, "7");
  EXPECT_EQ(record.expected, Outcome::kViolation);
  EXPECT_EQ(record.label, "SP2");
  EXPECT_THAT(record.rule_ids, ElementsAre("SP2.a"));
  EXPECT_EQ(record.content.surface, "comment");
  EXPECT_EQ(record.content.language, "en");
  EXPECT_THAT(record.tags, ElementsAre("boundary", "x"));
}

TEST(DatasetTest, MalformedLinesAreNamedAndTheRestIsRead) {
  const auto entries = ReadAll(
      "{\"text\": \"a\"}\n{\"text\": \n\n[1]\n{\"body_html\": 1}\n{\"text\": \"b\", \"label\": "
      "\"maybe\"}\n{\"text\": \"c\"}");
  ASSERT_EQ(entries.size(), 6U);
  EXPECT_TRUE(entries[0].record);
  EXPECT_THAT(entries[1].record.error().message, StartsWith("line 2: this is not valid JSON"));
  EXPECT_THAT(entries[2].record.error().message, StartsWith("line 4: this is array"));
  EXPECT_THAT(entries[3].record.error().message, StartsWith("line 5: no field looks like content"));
  EXPECT_THAT(entries[3].record.error().hint, HasSubstr("\"body_html\""));
  EXPECT_THAT(entries[4].record.error().message, StartsWith("line 6: the label \"maybe\""));
  EXPECT_EQ(entries[5].line, 7U);
  EXPECT_EQ(entries[5].record->content.messages.at(0).text, "c");
}

TEST(DatasetTest, ConversationsInTheirShapes) {
  const Record chat =
      ReadOne(R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": )"
              R"([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}], "label": 0})");
  EXPECT_EQ(chat.content.kind, ContentKind::kConversation);
  ASSERT_EQ(chat.content.messages.size(), 2U);
  EXPECT_EQ(chat.content.messages[0].role, Role::kSystem);
  EXPECT_EQ(chat.content.messages[1].text, "a\nb");
  EXPECT_EQ(chat.expected, Outcome::kSafe);

  const Record shared = ReadOne(
      R"({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "r"}]})");
  EXPECT_EQ(shared.content.messages.at(1).role, Role::kAssistant);

  const Record pair = ReadOne(R"({"prompt": "q", "response": "r", "label": "harmful"})");
  EXPECT_EQ(pair.content.kind, ContentKind::kConversation);
  EXPECT_EQ(pair.content.messages.at(1).text, "r");
  EXPECT_EQ(pair.expected, Outcome::kViolation);

  EXPECT_EQ(ReadOne(R"({"prompt": "q", "response": null})").content.kind,
            ContentKind::kUserMessage);
  EXPECT_EQ(ReadOne(R"({"response": "r"})").content.kind, ContentKind::kCompletion);
  EXPECT_EQ(ReadOne(R"({"messages": [{"role": "assistant", "content": "r"}]})").content.kind,
            ContentKind::kCompletion);
  EXPECT_EQ(ReadOne("messages,label\n\"[{\"\"role\"\": \"\"user\"\", \"\"content\"\": "
                    "\"\"q\"\"}]\",1\n")
                .content.messages.at(0)
                .text,
            "q");
}

TEST(DatasetTest, WhatCannotBeJudgedInAConversationIsAnError) {
  const auto entries = ReadAll(
      "{\"messages\": [{\"role\": \"narrator\", \"content\": \"x\"}]}\n"
      "{\"messages\": []}\n"
      "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]}\n"
      "{\"text\": {\"a\": 1}}\n");
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_THAT(entries[0].record.error().message, HasSubstr("\"narrator\""));
  EXPECT_THAT(entries[1].record.error().message, HasSubstr("at least one message"));
  EXPECT_THAT(entries[2].record.error().message, HasSubstr("not text"));
  EXPECT_THAT(entries[3].record.error().message, HasSubstr("\"text\" is object"));
}

TEST(DatasetTest, NoLabelIsUnknownNotSafe) {
  EXPECT_FALSE(ReadOne(R"({"text": "a"})").expected);
  EXPECT_FALSE(ReadOne(R"({"text": "a", "label": "missing"})").expected);
  EXPECT_FALSE(ReadOne("text,label\na,\n").expected);
  EXPECT_FALSE(ToGoldenCase(ReadOne(R"({"text": "a"})")));
}

TEST(DatasetTest, SafeColumnsAreTurnedRound) {
  EXPECT_EQ(ReadOne(R"({"text": "a", "is_safe": true})").expected, Outcome::kSafe);
  EXPECT_EQ(ReadOne(R"({"text": "a", "is_safe": false})").expected, Outcome::kViolation);
  EXPECT_FALSE(ReadOne(R"({"text": "a", "is_safe": null})").expected);
}

TEST(DatasetTest, TriggerMapsOfGuardrailSets) {
  const Record record = ReadOne(
      R"({"id": "1", "data": "x", "expected_triggers": {"Jailbreak": true, "NSFW": false}})");
  EXPECT_EQ(record.expected, Outcome::kViolation);
  ASSERT_EQ(record.labels.size(), 2U);
  EXPECT_EQ(record.labels[0].name, "Jailbreak");
  EXPECT_EQ(record.labels[0].positive, true);
}

TEST(DatasetTest, CsvWithMarkQuotesAndCrlf) {
  const auto entries = ReadAll(
      "\xEF\xBB\xBF"
      "ID,Comment Text,Is-Spam\r\n1,\"two\r\nlines, \"\"quoted\"\"\",1\r\n\r\n2,b,0\r\n");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].line, 2U);
  EXPECT_EQ(entries[0].record->content.messages.at(0).text, "two\nlines, \"quoted\"");
  EXPECT_EQ(entries[0].record->content.id, "1");
  EXPECT_EQ(entries[0].record->expected, Outcome::kViolation);
  EXPECT_EQ(entries[1].line, 5U);
  EXPECT_EQ(entries[1].record->expected, Outcome::kSafe);
}

TEST(DatasetTest, CsvRowsThatDoNotFitTheHeader) {
  const auto entries = ReadAll("text,label\nhello, you,1\nshort\nextra,0,,\n");
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_THAT(entries[0].record.error().message, HasSubstr("3 cells where the header has 2"));
  EXPECT_TRUE(entries[1].record);
  EXPECT_FALSE(entries[1].record->expected);
  EXPECT_TRUE(entries[2].record);
}

TEST(DatasetTest, CsvHeaderWithoutContentListsItsColumns) {
  const Error error = FailToOpen("a,b\n1,2\n");
  EXPECT_THAT(error.message, HasSubstr("test data"));
  EXPECT_THAT(error.hint, HasSubstr("\"a\", \"b\""));
  ReadOptions options;
  options.mapping.label = "verdict";
  EXPECT_THAT(FailToOpen("text,label\nx,1\n", options).message, HasSubstr("\"verdict\""));
}

TEST(DatasetTest, MappingNamesFields) {
  ReadOptions options;
  options.mapping.text = "Tweet";
  options.mapping.label = "class";
  options.mapping.positive_values = {"0", "1"};
  options.mapping.negative_values = {"2"};
  const auto entries = ReadAll("class,text,tweet\n0,no,yes\n2,no,also\n", options);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].record->content.messages.at(0).text, "yes");
  EXPECT_EQ(entries[0].record->expected, Outcome::kViolation);
  EXPECT_EQ(entries[1].record->expected, Outcome::kSafe);
}

TEST(DatasetTest, LabelColumns) {
  ReadOptions options;
  options.mapping.label_columns = {"H", "V"};
  const Record known = ReadOne(R"({"text": "a", "H": 0, "V": 1})", options);
  EXPECT_EQ(known.expected, Outcome::kViolation);
  EXPECT_EQ(known.label, "V");
  const Record partly = ReadOne(R"({"text": "a", "H": 0})", options);
  EXPECT_FALSE(partly.expected);
  EXPECT_FALSE(partly.labels.at(1).positive);
  options.mapping.missing_label_is_negative = true;
  const Record counted = ReadOne(R"({"text": "a", "H": 0})", options);
  EXPECT_EQ(counted.expected, Outcome::kSafe);
  EXPECT_FALSE(counted.labels.at(1).positive);
}

TEST(DatasetTest, LabelsAreNotLookedAtForBatch) {
  ReadOptions options;
  options.mapping.read_labels = false;
  EXPECT_FALSE(ReadOne(R"({"text": "a", "label": "maybe"})", options).expected);
}

TEST(DatasetTest, InvalidUtf8IsRepairedAndNoted) {
  const Record json = ReadOne("{\"text\": \"a\xFF\"}");
  EXPECT_EQ(json.content.messages.at(0).text, "a\xEF\xBF\xBD");
  ASSERT_EQ(json.notes.size(), 1U);
  EXPECT_THAT(json.notes[0], HasSubstr("at byte 11 of the line"));
  const Record csv = ReadOne("text\na\xC3\n");
  EXPECT_EQ(csv.content.messages.at(0).text, "a\xEF\xBF\xBD");
  EXPECT_THAT(csv.notes.at(0), HasSubstr("column \"text\""));
}

TEST(DatasetTest, LimitsAreErrors) {
  const auto deep = ReadAll("{\"text\": " + std::string(200'000, '[') + "\n{\"text\": \"a\"}\n");
  ASSERT_EQ(deep.size(), 2U);
  EXPECT_EQ(deep[0].record.error().code, ErrorCode::kLimit);
  EXPECT_TRUE(deep[1].record);
  const auto longest =
      ReadAll("{\"text\": \"" + std::string(kLineBytesMax, 'x') + "\"}\n{\"text\": \"a\"}\n");
  ASSERT_EQ(longest.size(), 2U);
  EXPECT_EQ(longest[0].record.error().code, ErrorCode::kLimit);
  EXPECT_THAT(longest[0].record.error().message, StartsWith("line 1: "));
  EXPECT_TRUE(longest[1].record);
}

TEST(DatasetTest, FilesThatAreNoDataAreNamed) {
  EXPECT_THAT(FailToOpen("\x1F\x8B"
                         "xx")
                  .message,
              HasSubstr("compressed"));
  EXPECT_THAT(FailToOpen("\xFF\xFE"
                         "a")
                  .message,
              HasSubstr("UTF-16"));
  EXPECT_THAT(FailToOpen(std::string("a\0b", 3)).message, HasSubstr("binary"));
  EXPECT_THAT(FailToOpen("[\n{\"text\": 1}]").message, HasSubstr("JSON list"));
  EXPECT_EQ(OpenRecords("/does/not/exist.csv", {}).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(OpenRecords("/tmp", {}).error().message, HasSubstr("is a directory"));
}

TEST(DatasetTest, AnEmptyStreamHasNoRecords) {
  EXPECT_TRUE(ReadAll("").empty());
  EXPECT_TRUE(ReadAll("text,label\n").empty());
}

TEST(DatasetTest, OffsetsAllowResuming) {
  const std::string bytes = "{\"text\": \"a\"}\n\n{\"text\": \"b\"}\n{\"text\": \"c\"}";
  const auto entries = ReadAll(bytes);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(bytes.substr(entries[1].end_offset), "{\"text\": \"c\"}");
  EXPECT_EQ(entries[2].end_offset, bytes.size());
}

}  // namespace
}  // namespace safeguard::eval
