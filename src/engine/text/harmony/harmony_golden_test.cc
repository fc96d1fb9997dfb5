// Renderer and parser against openai/harmony, with the real o200k ranks.
#include <gtest/gtest.h>

#include <sstream>

#include "engine/text/harmony/test_harmony.h"
#include "engine/text/test_models.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::json;
using test::Ids;

class HarmonyGolden : public testing::Test {
 protected:
  void SetUp() override {
    SAFEGUARD_NEED_MODEL(ranks, "o200k/o200k_base.tiktoken");
    auto loaded = Bpe::LoadRanks(*ranks);
    ASSERT_TRUE(loaded.has_value()) << Describe(loaded.error());
    bpe_ = std::move(*loaded);
  }

  static std::optional<std::vector<Json>> Goldens(const std::string& name) {
    const char* shared = std::getenv("SAFEGUARD_SHARED");
    const std::string folder = shared != nullptr ? shared : SAFEGUARD_SOURCE_DIR "/../shared";
    const auto bytes = ReadFile(folder + "/goldens/" + name, std::size_t{64} << 20);
    if (!bytes) {
      return std::nullopt;
    }
    std::vector<Json> lines;
    std::istringstream in(*bytes);
    for (std::string line; std::getline(in, line);) {
      lines.push_back(Json::parse(line));
    }
    return lines;
  }

  std::unique_ptr<Bpe> bpe_;
};

std::optional<std::string> OptionalText(const Json& object, const char* name) {
  return object.contains(name) && !object[name].is_null()
             ? std::optional(object[name].get<std::string>())
             : std::nullopt;
}

HarmonySystem SystemOf(const Json& json) {
  HarmonySystem system;
  system.identity = OptionalText(json, "model_identity");
  system.knowledge_cutoff = OptionalText(json, "knowledge_cutoff");
  system.date = OptionalText(json, "conversation_start_date");
  auto effort = OptionalText(json, "reasoning_effort").value_or("");
  std::ranges::transform(effort, effort.begin(), [](char c) { return std::tolower(c); });
  system.effort = ReasoningEffortOf(effort);
  system.channels = json["channel_config"]["valid_channels"].get<std::vector<std::string>>();
  system.channel_required = json["channel_config"]["channel_required"].get<bool>();
  return system;
}

HarmonyMessage MessageOf(const Json& json) {
  HarmonyMessage message;
  message.header.role = HarmonyRoleOf(json["role"].get<std::string>()).value();
  message.header.name = OptionalText(json, "name").value_or("");
  message.header.recipient = OptionalText(json, "recipient");
  message.header.channel = OptionalText(json, "channel");
  message.header.content_type = OptionalText(json, "content_type");
  const Json& content = json["content"][0];
  EXPECT_EQ(json["content"].size(), 1U);
  if (content["type"] == "system_content") {
    message.content = SystemOf(content);
  } else if (content["type"] == "developer_content") {
    message.content = HarmonyDeveloper{.instructions = OptionalText(content, "instructions")};
  } else {
    message.content = content["text"].get<std::string>();
  }
  return message;
}

TEST_F(HarmonyGolden, Render) {
  const auto goldens = Goldens("harmony_render.jsonl");
  if (!goldens) {
    GTEST_SKIP() << "NOT TESTED: no goldens/harmony_render.jsonl under $SAFEGUARD_SHARED";
  }
  for (const Json& golden : *goldens) {
    std::vector<HarmonyMessage> messages;
    for (const Json& message : golden["messages"]) {
      messages.push_back(MessageOf(message));
    }
    const auto ids = RenderPrompt(*bpe_, messages);
    ASSERT_TRUE(ids.has_value()) << golden["name"];
    EXPECT_EQ(Json(*ids), golden["tokens"]) << golden["name"];
    EXPECT_EQ(Json(test::Written(*bpe_, *ids)), golden["text"]) << golden["name"];
  }
  EXPECT_GE(goldens->size(), 9U);
}

Json MessageJson(const ParsedMessage& message) {
  Json json = {{"role", ToString(message.header.role)}, {"content", message.content}};
  if (!message.header.name.empty()) {
    json["name"] = message.header.name;
  }
  const std::pair<const char*, const std::optional<std::string>*> fields[] = {
      {"channel", &message.header.channel},
      {"recipient", &message.header.recipient},
      {"content_type", &message.header.content_type}};
  for (const auto& [name, value] : fields) {
    if (*value) {
      json[name] = **value;
    }
  }
  return json;
}

TEST_F(HarmonyGolden, Parse) {
  const auto goldens = Goldens("harmony_parse.jsonl");
  if (!goldens) {
    GTEST_SKIP() << "NOT TESTED: no goldens/harmony_parse.jsonl under $SAFEGUARD_SHARED";
  }
  for (const Json& golden : *goldens) {
    const auto messages = ParseCompletion(*bpe_, golden["tokens"].get<Ids>());
    if (!golden["error"].is_null()) {
      ASSERT_FALSE(messages.has_value()) << golden["name"];
      EXPECT_EQ(Json(messages.error().message), golden["error"]) << golden["name"];
      continue;
    }
    ASSERT_TRUE(messages.has_value()) << golden["name"] << ": " << Describe(messages.error());
    Json read = Json::array();
    for (const ParsedMessage& message : *messages) {
      read.push_back(MessageJson(message));
    }
    EXPECT_EQ(read, golden["messages"]) << golden["name"];
    EXPECT_EQ(test::IdsOf(*bpe_, golden["text"].get<std::string>()), golden["tokens"].get<Ids>());
  }
  EXPECT_GE(goldens->size(), 9U);
}

// The sequences that are written down in harmony's documentation and test data.
TEST_F(HarmonyGolden, DocumentedIds) {
  test::Ids ids;
  AppendAssistantStart(*bpe_, ids);
  EXPECT_EQ(ids, (Ids{200006, 173781}));
  AppendSkippedAnalysis(*bpe_, ids);
  EXPECT_EQ(ids, (Ids{200006, 173781, 200005, 35644, 200008, 200007, 200006, 173781, 200005, 17196,
                      200008}));
  ids.clear();
  AppendCloseAnalysis(*bpe_, ids);
  EXPECT_EQ(ids, (Ids{200007, 200006, 173781, 200005, 17196, 200008}));
  const auto system = RenderConversation(*bpe_, std::vector{SystemMessage({})});
  ASSERT_TRUE(system.has_value());
  EXPECT_EQ(system,
            (Ids{200006, 17360, 200008, 3575,  553,  17554, 162016, 11,    261,    4410,
                 6439,   2359,  22203,  656,   7788, 17527, 558,    87447, 100594, 25,
                 220,    1323,  19,     12,    3218, 279,   30377,  289,   25,     14093,
                 279,    2,     13888,  18403, 25,   8450,  11,     49159, 11,     1721,
                 13,     21030, 2804,   413,   7360, 395,   1753,   3176,  13,     200007}));
  const auto robot = RenderConversation(
      *bpe_,
      std::vector{DeveloperMessage({.instructions = "Answer the user's questions like a robot."})});
  EXPECT_EQ(robot, (Ids{200006, 77944, 200008, 2, 68406, 279, 17045, 290, 49366, 5359, 1299, 261,
                        20808, 13, 200007}));
  // The template's two line ends merge with the full stop before them.
  PolicyPrompt prompt{.policy = "No spam.", .placement = PolicyPlacement::kHfTemplate};
  const auto template_ids = RenderConversation(*bpe_, PolicyMessages(prompt));
  ASSERT_TRUE(template_ids.has_value());
  EXPECT_EQ((*template_ids)[template_ids->size() - 2], 364U);
}

TEST_F(HarmonyGolden, ReadsBackWhatIsRendered) {
  EXPECT_TRUE(rc::check([&] {
    const auto messages = *rc::gen::container<std::vector<HarmonyMessage>>(test::Message());
    const auto ids = RenderConversation(*bpe_, messages, DropReasoning::kNone);
    RC_ASSERT(ids.has_value());
    const auto parsed = ParseCompletion(*bpe_, *ids, {.role = std::nullopt});
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->size() == messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
      RC_ASSERT((*parsed)[i].header == messages[i].header);
      RC_ASSERT((*parsed)[i].content == ContentText(messages[i]));
    }
  }));
}

}  // namespace
}  // namespace safeguard::engine
