// The doctor on patients with known illnesses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>
#include <tuple>

#include "apps/doctor/finding.h"
#include "apps/fake_services.h"
#include "apps/run.h"
#include "storage/audit_log.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::int64_t kNow = 1'764'374'400'000;

MachineFacts GoodMachine() {
  return {.cores = 2,
          .screen_kernels = "avx512",
          .reasoner_kernels = "avx512",
          .memory = 32 * kGiB,
          .memory_available = 28 * kGiB,
          .huge_pages = "always [madvise] never",
          .open_files = 20'000,
          .disk_folder = "/",
          .disk_free = 100 * kGiB,
          .now = kNow,
          .clock_synchronised = true};
}

// The worst finding whose sentence holds `what`; an error where there is none.
Health HealthOf(const Findings& findings, const std::string& what) {
  for (const Health health : {Health::kError, Health::kWarning, Health::kOk}) {
    for (const Finding& finding : findings.all()) {
      if (finding.health == health && finding.what.find(what) != std::string::npos) {
        EXPECT_TRUE(health == Health::kOk || !finding.hint.empty()) << finding.what;
        return health;
      }
    }
  }
  ADD_FAILURE() << "nothing is said of " << what;
  return Health::kError;
}

TEST(DoctorMachineTest, AGoodMachineIsWell) {
  Findings findings;
  CheckMachine(GoodMachine(), 14 * kGiB, 4096, findings);
  EXPECT_EQ(findings.Count(Health::kOk), findings.all().size());
}

TEST(DoctorMachineTest, EachLackIsNamed) {
  const auto health = [](auto change, const std::string& what, std::uint64_t model = 14 * kGiB) {
    MachineFacts facts = GoodMachine();
    change(facts);
    Findings findings;
    CheckMachine(facts, model, 4096, findings);
    return HealthOf(findings, what);
  };
  EXPECT_EQ(health([](auto& f) { f.memory = 16 * kGiB; }, "of memory"), Health::kError);
  EXPECT_EQ(health([](auto& f) { f.memory_available = 8 * kGiB; }, "of memory"), Health::kWarning);
  EXPECT_EQ(health([](auto& f) { f.memory_available = 8 * kGiB; }, "of memory", 0), Health::kOk);
  EXPECT_EQ(health([](auto& f) { f.screen_kernels = "reference"; }, "kernels"), Health::kWarning);
  EXPECT_EQ(health([](auto& f) { f.disk_free = 0; }, "on the disk"), Health::kError);
  EXPECT_EQ(health([](auto& f) { f.disk_free = kGiB / 2; }, "on the disk"), Health::kWarning);
  EXPECT_EQ(health([](auto& f) { f.open_files = 1024; }, "files open"), Health::kWarning);
  EXPECT_EQ(health([](auto& f) { f.huge_pages = "always madvise [never]"; }, "huge"),
            Health::kWarning);
  EXPECT_EQ(health([](auto& f) { f.huge_pages = "always madvise [never]"; }, "huge", 0),
            Health::kOk);
  EXPECT_EQ(health([](auto& f) { f.now = 0; }, "clock"), Health::kError);
  EXPECT_EQ(health([](auto& f) { f.clock_synchronised = false; }, "clock"), Health::kWarning);
}

TEST(DoctorMachineTest, ThisMachineCanBeRead) {
  FakeServices services;
  const MachineFacts facts = ReadMachine("/no/such/folder/yet", services);
  EXPECT_GT(facts.cores, 0U);
  EXPECT_GT(facts.memory, facts.memory_available);
  EXPECT_GT(facts.open_files, 0U);
  EXPECT_EQ(facts.disk_folder, "/");
  EXPECT_GT(facts.now, kNow - 1);
}

TEST(DoctorModelsTest, AMissingModelIsAnErrorAndTheRestIsLookedAtAllTheSame) {
  FakeServices services;
  services.model_there = false;
  Findings findings;
  EXPECT_EQ(CheckModels("/no/checkpoint", services, findings), 0U);
  EXPECT_EQ(HealthOf(findings, "the model is not in here"), Health::kError);
  EXPECT_EQ(HealthOf(findings, "/no/checkpoint"), Health::kError);
  Findings there;
  services.model_there = true;
  CheckModels("", services, there);
  EXPECT_EQ(HealthOf(there, "answers in"), Health::kOk);
  EXPECT_EQ(HealthOf(there, "no trained screen"), Health::kWarning);
}

class DoctorDataTest : public ::testing::Test {
 protected:
  Findings Check() {
    Findings findings;
    CheckData(folder.Path("data"), kNow, findings);
    return findings;
  }
  void Make() {
    ASSERT_TRUE(storage::OpenVerdictLog(folder.Path("data"), {.create = true}));
    ASSERT_TRUE(storage::OpenAuditLog(folder.Path("data"), true));
  }
  TestFolder folder;
};

TEST_F(DoctorDataTest, AFolderThatCannotBeMadeIsToldBeforeAnythingNeedsIt) {
  std::ofstream(folder.Path("data")) << "a file where a folder is wanted";
  const auto findings = [&] {
    Findings found;
    CheckData(folder.Path("data/deep/er"), 0, found);
    return found;
  }();
  ASSERT_EQ(findings.Count(Health::kError), 1U);
  EXPECT_EQ(HealthOf(findings, "cannot be made"), Health::kError);
}

TEST_F(DoctorDataTest, AHealthyFolderIsWell) {
  EXPECT_EQ(HealthOf(Check(), "not there yet"), Health::kOk);
  Make();
  const Findings findings = Check();
  EXPECT_EQ(findings.Count(Health::kOk), findings.all().size());
  EXPECT_EQ(HealthOf(findings, "verdicts.db is whole"), Health::kOk);
  EXPECT_EQ(HealthOf(findings, "audit log: "), Health::kOk);
}

TEST_F(DoctorDataTest, FoldersAndKeysThatOthersCanReadAreTold) {
  Make();
  std::filesystem::permissions(folder.Path("data"), std::filesystem::perms(0755));
  std::filesystem::permissions(folder.Path("data/audit/key"), std::filesystem::perms(0644));
  const Findings findings = Check();
  EXPECT_EQ(HealthOf(findings, "has mode 755"), Health::kWarning);
  EXPECT_EQ(HealthOf(findings, "the audit log's key"), Health::kError);
}

TEST_F(DoctorDataTest, DamageIsFoundAndNothingIsChanged) {
  Make();
  const std::string database = folder.Read("data/verdicts.db");
  std::ignore = folder.Write("data/verdicts.db", database.substr(0, 300) + std::string(4000, 'x'));
  const std::string log = folder.Read("data/audit/log");
  std::string edited = log;
  edited[edited.find("begin")] = 'B';
  std::ignore = folder.Write("data/audit/log", edited);
  std::filesystem::permissions(folder.Write("data/keys.json", "not keys"),
                               std::filesystem::perms(0600));
  const Findings findings = Check();
  EXPECT_EQ(HealthOf(findings, "verdicts.db is damaged"), Health::kError);
  EXPECT_EQ(HealthOf(findings, "audit log is not whole"), Health::kError);
  EXPECT_EQ(findings.Count(Health::kError), 3U) << "the keys too";
  EXPECT_EQ(folder.Read("data/audit/log"), edited);
}

class DoctorCommandTest : public ::testing::Test {
 protected:
  int Call(const std::vector<std::string>& words) {
    console.out.clear();
    std::vector<std::string> all = {"doctor", "--data-dir", folder.Path("data")};
    all.insert(all.end(), words.begin(), words.end());
    return static_cast<int>(RunCommand(all, services, console, stop));
  }
  std::string Config(const std::string& yaml) { return folder.Write("serve.yaml", yaml); }

  FakeServices services;
  FakeConsole console;
  std::atomic<bool> stop = false;
  TestFolder folder;
};

TEST_F(DoctorCommandTest, SaysAllInWordsAndInJson) {
  const std::string config = Config("port: 0\n");
  EXPECT_EQ(Call({"--config", config}), 0) << console.out;
  for (const char* part : {"machine\n", "models\n", "data\n", "configuration\n"}) {
    EXPECT_THAT(console.out, HasSubstr(part));
  }
  EXPECT_THAT(console.out, HasSubstr("-> "));
  EXPECT_EQ(Call({"--config", config, "--json"}), 0);
  const Json json = Json::parse(console.out);
  EXPECT_EQ(json["errors"], 0);
  EXPECT_GT(json["findings"].size(), 8U);
  services.model_there = false;
  EXPECT_EQ(Call({"--config", config, "--json"}), 1);
  EXPECT_GE(Json::parse(console.out)["errors"].get<int>(), 1);
}

TEST_F(DoctorCommandTest, AConfigurationThatCannotBeIsAnErrorOfItsOwn) {
  EXPECT_EQ(Call({"--config", Config("prot: 1\n")}), 1);
  EXPECT_THAT(console.out, HasSubstr("no key prot"));
  EXPECT_EQ(Call({"--config", folder.Path("nowhere.yaml")}), 1);
  EXPECT_EQ(Call({"--config", Config("host: 0.0.0.0\nport: 0\n")}), 1);
  EXPECT_THAT(console.out, HasSubstr("there are no keys"));
  EXPECT_THAT(console.out, HasSubstr("without TLS"));
  EXPECT_EQ(Call({"--config", Config("port: 0\ntls_certificate: no.pem\ntls_key: no.key\n")}), 1);
  EXPECT_THAT(console.out, HasSubstr("no.pem"));
  EXPECT_EQ(Call({"--config", Config("port: 0\nupstream: \"ftp://x\"\n")}), 1);
}

TEST_F(DoctorCommandTest, WhatARouteGuardsIsSaid) {
  const auto with = [&](const std::string& guard) {
    const std::string route =
        folder.Write("route.yaml", "route: assistant\npolicies: [alpha]\nguard: " + guard + "\n");
    return Config(
        "port: 0\nupstream: \"http://127.0.0.1:1/v1\"\nupstream_allow: [127.0.0.1]\n"
        "route: [\"" +
        route + "\"]\n");
  };
  EXPECT_EQ(Call({"--config", with("{input: score, output_fails: open, visible_tokens: 32}")}), 0)
      << console.out;
  EXPECT_THAT(console.out, HasSubstr("the route assistant guards traffic: requests score; answers "
                                     "block, open; 32 tokens"));
  EXPECT_EQ(Call({"--config", with("{output_fails: degrade}")}), 1);
  EXPECT_THAT(console.out, HasSubstr("degrades to a slow judge, and there is none"));
}

TEST_F(DoctorCommandTest, APortThatIsTakenIsAWarning) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(socket, 1), 0);
  ASSERT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string port = std::to_string(ntohs(address.sin_port));
  EXPECT_EQ(Call({"--config", Config("port: " + port + "\n")}), 0);
  EXPECT_THAT(console.out, HasSubstr("port " + port + " is taken"));
  // Nobody answers HTTP there; without --network nobody is asked.
  const std::string upstream =
      "port: 0\nupstream: \"http://127.0.0.1:1/v1\"\nupstream_allow: [127.0.0.1]\n";
  EXPECT_EQ(Call({"--config", Config(upstream)}), 0);
  EXPECT_THAT(console.out, HasSubstr("was not tried"));
  EXPECT_EQ(Call({"--config", Config(upstream), "--network"}), 1);
  EXPECT_THAT(console.out, HasSubstr("does not answer"));
  ::close(socket);
}

}  // namespace
}  // namespace safeguard::apps
