// What every PolicyStore promises. A new implementation is added at the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "base/hash.h"
#include "moderation/memory_store.h"
#include "moderation/policy_store.h"
#include "storage/policy_folder.h"
#include "storage/stores.h"
#include "storage/test_stores.h"

namespace safeguard::storage {
namespace {

using moderation::Change;
using moderation::EventKind;
using moderation::PolicyStore;
using moderation::StoreEvent;
using moderation::VersionInfo;
using moderation::VersionState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Kind {
  const char* name;
  std::function<std::unique_ptr<PolicyStore>(const std::string& folder)> open;
};

// A store whose every change goes out into a folder and comes back from it: what the folder does
// not keep is lost to the tests.
class ThroughFolder final : public PolicyStore {
 public:
  explicit ThroughFolder(std::string folder) : folder_(std::move(folder)) {}

  Result<std::vector<StoreEvent>> Apply(std::span<const Change> changes) override {
    Result<std::vector<StoreEvent>> events = inner_->Apply(changes);
    const std::string& policy_id = changes.front().event.policy_id;
    generation_ += events && !events->empty() ? 1 : 0;
    // The store's own rule is in no policy's folder.
    if (events && !events->empty() && !policy_id.empty()) {
      Reload();
    }
    return events;
  }
  Result<std::vector<std::string>> PolicyIds() override { return inner_->PolicyIds(); }
  Result<std::vector<VersionInfo>> Versions(const std::string& id) override {
    return inner_->Versions(id);
  }
  Result<moderation::VersionBytes> Read(const std::string& id, int number) override {
    return inner_->Read(id, number);
  }
  Result<std::vector<StoreEvent>> History(const std::string& id, std::int64_t after,
                                          std::size_t limit) override {
    return inner_->History(id, after, limit);
  }
  Result<bool> TwoPersonRule(const std::string& id) override { return inner_->TwoPersonRule(id); }
  // A folder has no generation: every store that reads it counts its own.
  Result<std::uint64_t> Generation() override { return generation_; }
  Result<moderation::LiveVersions> Live() override {
    moderation::LiveVersions live = inner_->Live().value();
    live.generation = generation_;
    return live;
  }
  Status PutAttachment(const std::string& id, int number, const std::string& name,
                       std::string_view bytes) override {
    Status put = inner_->PutAttachment(id, number, name, bytes);
    if (put) {
      Reload();
    }
    return put;
  }
  Result<std::string> GetAttachment(const std::string& id, int number,
                                    const std::string& name) override {
    return inner_->GetAttachment(id, number, name);
  }
  Result<std::vector<std::string>> ListAttachments(const std::string& id, int number) override {
    return inner_->ListAttachments(id, number);
  }

 private:
  void Reload() {
    auto fresh = moderation::MemoryPolicyStore();
    const std::vector<StoreEvent> events = inner_->History("", 0, 1000).value();
    for (const StoreEvent& event : events) {
      if (event.policy_id.empty()) {
        const Change rule{event, {}};
        EXPECT_TRUE(fresh->Apply(std::span(&rule, 1)));
      }
    }
    const std::vector<std::string> ids = inner_->PolicyIds().value();
    for (const std::string& id : ids) {
      const auto written = ExportPolicy(*inner_, id, folder_, {});
      EXPECT_TRUE(written) << Describe(written.error());
      const auto read = ImportPolicy(*fresh, folder_ + "/" + id, By("import"));
      EXPECT_TRUE(read) << Describe(read.error());
    }
    if (!ids.empty()) {
      inner_ = std::move(fresh);
    }
  }

  std::string folder_;
  std::uint64_t generation_ = 0;
  std::unique_ptr<PolicyStore> inner_ = moderation::MemoryPolicyStore();
};

class PolicyStoreContract : public ::testing::TestWithParam<Kind> {
 protected:
  int Publish(const std::string& rule, const std::string& golden = "",
              const std::string& author = "ada") {
    const auto published = store->Publish("spam", {PolicyText(rule), golden}, By(author));
    return published ? published->version.number : -1;
  }
  bool Move(int number, VersionState to, double percent = 0) {
    return store->Move("spam", number, to, percent, By("ada", 2000)).has_value();
  }
  VersionState StateOf(int number) {
    return store->Versions("spam").value().at(static_cast<std::size_t>(number) - 1).state;
  }
  std::string Error(const Status& status) { return status ? "" : Describe(status.error()); }

  TestFolder folder;
  std::unique_ptr<PolicyStore> store = GetParam().open(folder.path());
};

TEST_P(PolicyStoreContract, TheSameBytesAreTheSameVersion) {
  EXPECT_EQ(Publish("one"), 1);
  EXPECT_EQ(Publish("two"), 2);
  EXPECT_EQ(Publish("one"), 1);
  EXPECT_FALSE(store->Publish("spam", {PolicyText("one"), ""}, By("grace"))->is_new);
  EXPECT_EQ(Publish("one", "{}\n"), 3) << "another golden set is another version";
  EXPECT_EQ(store->Versions("spam")->size(), 3U);
  EXPECT_EQ(store->Versions("spam")->front().author, "ada");
  EXPECT_EQ(store->History("spam", 0, 100)->size(), 3U) << "what changed nothing is no event";
}

TEST_P(PolicyStoreContract, AVersionKeepsItsBytesAuthorNoteAndTime) {
  const std::string text = PolicyText("bytes \xC3\xA9 of any kind");
  const auto published =
      store->Publish("spam", {text, "{\"id\":\"1\"}\n"}, {"ada", "first \"try\"", 123456789012});
  ASSERT_TRUE(published);
  EXPECT_TRUE(published->is_new);
  const VersionInfo& version = published->version;
  EXPECT_EQ(version.hash, Blake2bHex(text));
  EXPECT_EQ(version.golden_hash, Blake2bHex("{\"id\":\"1\"}\n"));
  EXPECT_EQ(version.author, "ada");
  EXPECT_EQ(version.note, "first \"try\"");
  EXPECT_EQ(version.created, 123456789012);
  EXPECT_EQ(version.state, VersionState::kDraft);
  EXPECT_EQ(store->Read("spam", 1)->policy, text);
  EXPECT_EQ(store->Read("spam", 1)->golden, "{\"id\":\"1\"}\n");
}

TEST_P(PolicyStoreContract, FindsByNumberHashStateAndLatest) {
  ASSERT_EQ(Publish("one"), 1);
  ASSERT_EQ(Publish("two"), 2);
  ASSERT_EQ(Publish("three"), 3);
  ASSERT_TRUE(Move(1, VersionState::kActive));
  ASSERT_TRUE(Move(2, VersionState::kCanary, 5));
  const std::string hash = store->Versions("spam")->at(2).hash;
  EXPECT_EQ(store->Find("spam", "2")->number, 2);
  EXPECT_EQ(store->Find("spam", hash)->number, 3);
  EXPECT_EQ(store->Find("spam", hash.substr(0, 12))->number, 3);
  EXPECT_EQ(store->Find("spam", "active")->number, 1);
  EXPECT_EQ(store->Find("spam", "canary")->number, 2);
  EXPECT_EQ(store->Find("spam", "latest")->number, 3);
  EXPECT_EQ(store->Find("spam", "shadow").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->Find("spam", "4").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->Find("spam", "zzzz").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->Find("ham", "1").error().code, ErrorCode::kNotFound);
  ASSERT_EQ(Publish("three", "{}\n"), 4);
  EXPECT_THAT(store->Find("spam", hash).error().message, HasSubstr("may be version 3, 4"));
}

TEST_P(PolicyStoreContract, ExactlyOneVersionIsActive) {
  for (int number = 1; number <= 3; ++number) {
    ASSERT_EQ(Publish(std::to_string(number)), number);
    ASSERT_TRUE(Move(number, VersionState::kActive));
  }
  EXPECT_EQ(StateOf(1), VersionState::kRetired);
  EXPECT_EQ(StateOf(2), VersionState::kRetired);
  EXPECT_EQ(StateOf(3), VersionState::kActive);
  EXPECT_FALSE(Move(3, VersionState::kRetired)) << "only another version takes its place";
  EXPECT_FALSE(Move(2, VersionState::kActive));
}

TEST_P(PolicyStoreContract, OneCanaryWithAPercentage) {
  ASSERT_EQ(Publish("one"), 1);
  ASSERT_EQ(Publish("two"), 2);
  EXPECT_TRUE(Move(1, VersionState::kCanary, 5));
  EXPECT_FALSE(Move(2, VersionState::kCanary, 5));
  EXPECT_TRUE(Move(1, VersionState::kCanary, 12.5));
  EXPECT_EQ(store->Versions("spam")->at(0).canary_percent, 12.5);
  EXPECT_FALSE(Move(1, VersionState::kCanary, 101));
  EXPECT_FALSE(Move(1, VersionState::kCanary, -1));
  EXPECT_TRUE(Move(1, VersionState::kActive));
  EXPECT_EQ(store->Versions("spam")->at(0).canary_percent, 0);
}

TEST_P(PolicyStoreContract, RollbackIsOneStepToWhatWasActiveBefore) {
  ASSERT_EQ(Publish("one"), 1);
  ASSERT_TRUE(Move(1, VersionState::kActive));
  EXPECT_EQ(store->Rollback("spam", By("ada")).error().code, ErrorCode::kInvalidInput);
  ASSERT_EQ(Publish("two"), 2);
  ASSERT_TRUE(Move(2, VersionState::kActive));
  EXPECT_EQ(store->Rollback("spam", By("grace"))->number, 1);
  EXPECT_EQ(StateOf(1), VersionState::kActive);
  EXPECT_EQ(StateOf(2), VersionState::kRetired);
  EXPECT_FALSE(store->Rollback("spam", By("ada")));
}

TEST_P(PolicyStoreContract, TheHistoryTellsEverythingInOrder) {
  ASSERT_EQ(Publish("one"), 1);
  ASSERT_TRUE(store->Approve("spam", 1, {"grace", "looks right", 1500}));
  ASSERT_TRUE(Move(1, VersionState::kCanary, 10));
  ASSERT_TRUE(Move(1, VersionState::kActive));
  ASSERT_TRUE(store->RetirePolicy("spam", {"ada", "the end", 3000}));
  ASSERT_TRUE(store->Publish("ham", {PolicyText("ham"), ""}, By("ada")));
  const std::vector<StoreEvent> events = store->History("spam", 0, 100).value();
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[0].kind, EventKind::kPublish);
  EXPECT_EQ(events[0].hash, Blake2bHex(PolicyText("one")));
  EXPECT_EQ(events[1].who, "grace");
  EXPECT_EQ(events[1].why, "looks right");
  EXPECT_EQ(events[2].to, VersionState::kCanary);
  EXPECT_EQ(events[2].canary_percent, 10);
  EXPECT_EQ(events[3].from, VersionState::kCanary);
  EXPECT_EQ(events[4].kind, EventKind::kRetirePolicy);
  EXPECT_EQ(events[4].when, 3000);
  EXPECT_EQ(store->History("spam", events[1].sequence, 2)->front(), events[2]);
  EXPECT_EQ(store->History("spam", 0, 2)->size(), 2U);
  EXPECT_EQ(store->History("", 0, 100)->size(), 6U);
}

TEST_P(PolicyStoreContract, TwoPersonRuleOfTheStoreAndOfAPolicy) {
  ASSERT_TRUE(store->SetTwoPersonRule("", true, By("ada")));
  ASSERT_EQ(Publish("one"), 1);
  EXPECT_TRUE(store->TwoPersonRule("spam").value());
  EXPECT_FALSE(Move(1, VersionState::kActive));
  EXPECT_FALSE(store->Approve("spam", 1, By("ADA ")));
  ASSERT_TRUE(store->SetTwoPersonRule("spam", false, By("ada")));
  EXPECT_FALSE(store->TwoPersonRule("spam").value());
  ASSERT_TRUE(store->SetTwoPersonRule("spam", std::nullopt, By("ada")));
  EXPECT_TRUE(store->TwoPersonRule("spam").value());
  EXPECT_FALSE(Move(1, VersionState::kCanary, 1));
  const auto approved = store->Approve("spam", 1, By("grace", 1234));
  ASSERT_TRUE(approved);
  EXPECT_EQ(approved->approved_by, "grace");
  EXPECT_EQ(approved->approved, 1234);
  EXPECT_TRUE(Move(1, VersionState::kActive));
}

TEST_P(PolicyStoreContract, SeveralChangesAreAppliedTogetherOrNotAtAll) {
  std::vector<Change> changes(3);
  for (Change& change : changes) {
    change.event.policy_id = "spam";
    change.event.who = "ada";
  }
  changes[0].bytes.policy = PolicyText("one");
  changes[1].event.kind = EventKind::kMove;
  changes[1].event.number = 1;
  changes[1].event.to = VersionState::kActive;
  changes[2].event.kind = EventKind::kMove;
  changes[2].event.number = 1;
  changes[2].event.to = VersionState::kShadow;  // not legal
  EXPECT_FALSE(store->Apply(changes));
  EXPECT_TRUE(store->PolicyIds()->empty());
  EXPECT_TRUE(store->History("", 0, 10)->empty());
  changes.pop_back();
  EXPECT_EQ(store->Apply(changes)->size(), 2U);
  EXPECT_EQ(StateOf(1), VersionState::kActive);
}

TEST_P(PolicyStoreContract, TheGenerationMovesWithEveryChangeAndNoOther) {
  const std::uint64_t empty = store->Generation().value();
  ASSERT_EQ(Publish("one"), 1);
  const std::uint64_t published = store->Generation().value();
  EXPECT_GT(published, empty);
  EXPECT_EQ(Publish("one"), 1);
  EXPECT_FALSE(store->Rollback("spam", By("ada")));
  EXPECT_EQ(store->Generation().value(), published);
  ASSERT_TRUE(Move(1, VersionState::kShadow));
  const auto live = store->Live();
  EXPECT_GT(live->generation, published);
  ASSERT_EQ(live->versions.size(), 1U);
  EXPECT_EQ(live->versions[0], store->Versions("spam")->at(0));
  EXPECT_FALSE(live->salt.empty());
}

TEST_P(PolicyStoreContract, AttachmentsByVersionAndName) {
  ASSERT_EQ(Publish("one", "{}\n"), 1);
  ASSERT_EQ(Publish("two"), 2);
  const std::string bytes("with \0 in it", 12);
  EXPECT_TRUE(store->PutAttachment("spam", 1, "calibration/screen", "old"));
  EXPECT_TRUE(store->PutAttachment("spam", 1, "calibration/screen", bytes));
  EXPECT_TRUE(store->PutAttachment("spam", 1, "empty", ""));
  EXPECT_EQ(store->GetAttachment("spam", 1, "calibration/screen").value(), bytes);
  EXPECT_EQ(store->GetAttachment("spam", 1, "empty").value(), "");
  EXPECT_EQ(store->GetAttachment("spam", 1, "golden.jsonl").value(), "{}\n");
  EXPECT_THAT(store->ListAttachments("spam", 1).value(),
              ElementsAre("calibration/screen", "empty", "golden.jsonl"));
  EXPECT_TRUE(store->ListAttachments("spam", 2)->empty());
  EXPECT_EQ(store->GetAttachment("spam", 2, "empty").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->PutAttachment("spam", 3, "x", "").error().code, ErrorCode::kNotFound);
  for (const char* name : {"golden.jsonl", "", "/x", "x/", "a//b", "../x", "a b", ".hidden"}) {
    EXPECT_FALSE(store->PutAttachment("spam", 1, name, "x")) << name;
  }
}

TEST_P(PolicyStoreContract, RefusesWhatIsNoPolicyAndNamesThatAreNone) {
  for (const char* id : {"", "a b", "../up", "-x", "a@b", "a/b"}) {
    EXPECT_EQ(store->Publish(id, {PolicyText("x"), ""}, By("ada")).error().code,
              ErrorCode::kInvalidInput)
        << id;
  }
  EXPECT_FALSE(store->Publish("spam", {std::string("nul \0 byte", 10), ""}, By("ada")));
  EXPECT_FALSE(store->Publish("spam", {std::string(2 << 20, 'x'), ""}, By("ada")));
  EXPECT_FALSE(store->Publish("spam", {PolicyText("x"), ""}, By(" ")));
  EXPECT_FALSE(store->Publish("spam", {PolicyText("x"), ""}, By(std::string(5000, 'x'))));
  EXPECT_TRUE(store->PolicyIds()->empty());
  EXPECT_EQ(store->Versions("spam").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->Approve("spam", 1, By("ada")).error().code, ErrorCode::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(
    Stores, PolicyStoreContract,
    ::testing::Values(
        Kind{"Memory", [](const std::string&) { return moderation::MemoryPolicyStore(); }},
        Kind{"ThroughFolder",
             [](const std::string& folder) { return std::make_unique<ThroughFolder>(folder); }},
        Kind{"Sqlite",
             [](const std::string& folder) {
               auto opened = OpenPolicyStore(folder, {.create = true});
               EXPECT_TRUE(opened) << Describe(opened.error());
               return opened ? std::move(*opened) : nullptr;
             }}),
    [](const auto& named) { return named.param.name; });

}  // namespace
}  // namespace safeguard::storage
