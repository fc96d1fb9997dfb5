#include "storage/policy_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <fstream>
#include <optional>

#include "base/file.h"
#include "moderation/memory_store.h"
#include "storage/test_stores.h"

namespace safeguard::storage {
namespace {

using moderation::Action;
using moderation::MemoryPolicyStore;
using moderation::PolicyStore;
using moderation::StoreEvent;
using moderation::VersionState;
using ::testing::HasSubstr;

std::vector<StoreEvent> HistoryOf(PolicyStore& store) {
  std::vector<StoreEvent> events = store.History("spam", 0, 10'000).value();
  for (StoreEvent& event : events) {
    event.sequence = 0;
  }
  return events;
}

void Write(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

// Random steps; those that are not legal do nothing.
void Live(PolicyStore& store, int steps) {
  for (int step = 0; step < steps; ++step) {
    const Action action{*rc::gen::element<std::string>("ada", "grace", "\"lin\"\n"),
                        *rc::gen::element<std::string>("", "a note", "two\nlines \xC3\xA9"),
                        *rc::gen::inRange<std::int64_t>(0, 2'000'000'000'000)};
    const int number = *rc::gen::inRange(1, 5);
    const std::string text = PolicyText(std::to_string(*rc::gen::inRange(0, 4)));
    const std::string golden = *rc::gen::element<std::string>("", "{}\n", "{}\n{}\n");
    switch (*rc::gen::inRange(0, 7)) {
      case 0:
      case 1:
        (void)store.Publish("spam", {text, golden}, action);
        break;
      case 2:
        (void)store.Approve("spam", number, action);
        break;
      case 3:
        (void)store.Rollback("spam", action);
        break;
      case 4:
        (void)store.SetTwoPersonRule(
            "spam", *rc::gen::element<std::optional<bool>>(true, false, std::nullopt), action);
        break;
      case 5:
        (void)store.PutAttachment("spam", number, "calibration/screen", text);
        break;
      default:
        (void)store.Move("spam", number, static_cast<VersionState>(*rc::gen::inRange(0, 5)),
                         *rc::gen::element(0.0, 12.5, 100.0), action);
    }
  }
}

TEST(PolicyFolder, AnyHistoryRoundTripsAndGoesOn) {
  rc::check("import(export(store)) == store", [] {
    const TestFolder folder;
    const auto store = MemoryPolicyStore();
    const auto other = MemoryPolicyStore();
    (void)store->Publish("spam", {PolicyText("first"), ""}, By("ada"));
    for (int round = 0; round < 2; ++round) {  // the second time it goes on from the first
      Live(*store, *rc::gen::inRange(0, 15));
      RC_ASSERT(ExportPolicy(*store, "spam", folder.path(), {}).has_value());
      const auto imported = ImportPolicy(*other, folder.Path("spam"), By("import"));
      RC_ASSERT(imported.has_value());
      RC_ASSERT(!imported->head_is_new);
      RC_ASSERT(HistoryOf(*other) == HistoryOf(*store));
      RC_ASSERT(other->Versions("spam").value() == store->Versions("spam").value());
      const auto versions = store->Versions("spam").value();
      for (const auto& version : versions) {
        const auto bytes = store->Read("spam", version.number).value();
        RC_ASSERT(other->Read("spam", version.number)->policy == bytes.policy);
        RC_ASSERT(other->Read("spam", version.number)->golden == bytes.golden);
        RC_ASSERT(other->ListAttachments("spam", version.number).value() ==
                  store->ListAttachments("spam", version.number).value());
      }
      RC_ASSERT(ExportPolicy(*other, "spam", folder.path(), {})->empty());
    }
  });
}

TEST(PolicyFolder, AFolderWrittenByHandIsAFirstDraft) {
  const TestFolder folder;
  Write(folder.Path("spam/policy.md"), PolicyText("by hand"));
  Write(folder.Path("spam/golden.jsonl"), "{}\n");
  Write(folder.Path("notes/readme.md"), "no policy");
  const auto store = MemoryPolicyStore();
  EXPECT_EQ(PolicyFolders(folder.path()).value(), std::vector{folder.Path("spam")});
  const auto imported = ImportPolicy(*store, folder.Path("spam") + "/", By("ada"));
  ASSERT_TRUE(imported) << Describe(imported.error());
  EXPECT_TRUE(imported->head_is_new);
  EXPECT_EQ(imported->head.number, 1);
  EXPECT_EQ(store->Read("spam", 1)->golden, "{}\n");
  EXPECT_FALSE(ImportPolicy(*store, folder.Path("spam"), By("ada"))->head_is_new);
}

TEST(PolicyFolder, AnEditBecomesADraftAndIsNotOverwrittenBefore) {
  const TestFolder folder;
  const auto store = MemoryPolicyStore();
  ASSERT_TRUE(store->Publish("spam", {PolicyText("one"), ""}, By("ada")));
  ASSERT_TRUE(ExportPolicy(*store, "spam", folder.path(), {}));
  Write(folder.Path("spam/policy.md"), PolicyText("edited"));
  const auto refused = ExportPolicy(*store, "spam", folder.path(), {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("changes that are in no version"));
  EXPECT_TRUE(ImportPolicy(*store, folder.Path("spam"), By("ada"))->head_is_new);
  EXPECT_TRUE(ExportPolicy(*store, "spam", folder.path(), {}));
  EXPECT_EQ(ReadFile(folder.Path("spam/versions/2.md"), 1000).value(), PolicyText("edited"));
}

TEST(PolicyFolder, HistoriesThatPartedAreRefusedWithTheLine) {
  const TestFolder folder;
  const auto store = MemoryPolicyStore();
  const auto other = MemoryPolicyStore();
  ASSERT_TRUE(store->Publish("spam", {PolicyText("one"), ""}, By("ada")));
  ASSERT_TRUE(store->Publish("spam", {PolicyText("two"), ""}, By("ada")));
  ASSERT_TRUE(other->Publish("spam", {PolicyText("one"), ""}, By("ada")));
  ASSERT_TRUE(other->Publish("spam", {PolicyText("three"), ""}, By("ada")));
  ASSERT_TRUE(ExportPolicy(*store, "spam", folder.path(), {}));
  const auto imported = ImportPolicy(*other, folder.Path("spam"), By("ada"));
  ASSERT_FALSE(imported);
  EXPECT_THAT(imported.error().message, HasSubstr("history.jsonl line 2"));
  EXPECT_EQ(other->Versions("spam")->size(), 2U);
}

TEST(PolicyFolder, HistoryIsImportedUnderTheRulesOfTheStore) {
  const TestFolder folder;
  const auto store = MemoryPolicyStore();
  ASSERT_TRUE(store->Publish("spam", {PolicyText("one"), ""}, By("ada")));
  ASSERT_TRUE(store->Move("spam", 1, VersionState::kActive, 0, By("ada")));
  ASSERT_TRUE(ExportPolicy(*store, "spam", folder.path(), {}));
  const auto strict = MemoryPolicyStore();
  ASSERT_TRUE(strict->SetTwoPersonRule("", true, By("ada")));
  EXPECT_THAT(ImportPolicy(*strict, folder.Path("spam"), By("ada")).error().message,
              HasSubstr("needs the approval"));
  EXPECT_TRUE(strict->PolicyIds()->empty());
}

TEST(PolicyFolder, DamageIsNamed) {
  const TestFolder folder;
  const auto store = MemoryPolicyStore();
  ASSERT_TRUE(store->Publish("spam", {PolicyText("one"), "{}\n"}, By("ada")));
  ASSERT_TRUE(ExportPolicy(*store, "spam", folder.path(), {}));
  const auto error = [&] {
    const auto imported = ImportPolicy(*MemoryPolicyStore(), folder.Path("spam"), By("ada"));
    return imported ? "" : Describe(imported.error());
  };
  EXPECT_EQ(error(), "");
  Write(folder.Path("spam/versions/1.md"), PolicyText("changed"));
  EXPECT_THAT(error(), HasSubstr("a version never changes"));
  std::filesystem::remove(folder.Path("spam/versions/1.md"));
  EXPECT_THAT(error(), HasSubstr("versions/1.md"));
  for (const char* history : {"nonsense\n", "{}\n", "[]\n", R"({"event":"publish","when":"today"})",
                              R"({"event":"move","when":"2026-01-01","version":"1"})",
                              R"({"event":"move","when":"2026-01-01","version":99999999999})",
                              R"({"event":"move","when":"2026-01-01","version":1,"to":"limbo"})"}) {
    Write(folder.Path("spam/history.jsonl"), history);
    EXPECT_THAT(error(), HasSubstr("line 1 is no event")) << history;
  }
  EXPECT_FALSE(PolicyFolders(folder.Path("nowhere")));
  Write(folder.Path("a b/policy.md"), PolicyText("x"));
  EXPECT_FALSE(ImportPolicy(*store, folder.Path("a b"), By("ada")));
}

}  // namespace
}  // namespace safeguard::storage
