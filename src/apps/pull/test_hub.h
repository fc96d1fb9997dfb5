// For tests: a small repository "owner/model" behind a TestServer, well behaved unless a test takes
// a request into its own hands; and a folder and settings to pull it with.
#pragma once

#include <gtest/gtest.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "apps/pull/pull_model.h"
#include "apps/pull/test_server.h"
#include "base/hash.h"

namespace safeguard::apps::pull {

inline constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";
inline constexpr std::uint64_t kTestChunk = 4096;

// Bytes that differ everywhere, so that a misplaced chunk shows.
inline std::string TestBytes(std::size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  std::uint64_t state = seed * 2654435761U + 1;
  for (char& byte : bytes) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<char>(state >> 56U);
  }
  return bytes;
}

inline std::string Sha256OfText(const std::string& bytes) {
  return Sha256Hex(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

inline std::string GitBlobId(const std::string& bytes) {
  const std::string blob = "blob " + std::to_string(bytes.size()) + '\0' + bytes;
  unsigned char digest[SHA_DIGEST_LENGTH];
  ::SHA1(reinterpret_cast<const unsigned char*>(blob.data()), blob.size(), digest);
  std::string hex;
  for (const unsigned char byte : digest) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    hex += digits;
  }
  return hex;
}

// Takes a request into its own hands: true when it has answered.
using Interception = std::function<bool(const ServedRequest&, ServedConnection&)>;

class TestHub {
 public:
  explicit TestHub(Interception interception = {})
      : interception_(std::move(interception)),
        server_([this](const ServedRequest& r, ServedConnection& c) { Serve(r, c); }) {}

  // Files are set before the first pull. LFS: those of at least 10 kB.
  std::map<std::string, std::string> files = {
      {"README.md", "# a model\n"},
      {"config.json", "{\"model_type\": \"gpt_oss\"}\n"},
      {"tokenizer.json", std::string(5000, 't')},
      {"model.safetensors", TestBytes(100'000, 1)},
      {"original/model.safetensors", TestBytes(20'000, 2)},
      {"metal/model.bin", TestBytes(20'000, 3)},
  };
  bool has_revisions = true;  // whether /revision/ is served

  [[nodiscard]] std::string Url(const std::string& host = "127.0.0.1") const {
    return server_.Url(host);
  }
  std::vector<ServedRequest> requests() { return server_.requests(); }
  std::size_t Count(const std::string& part) {
    std::size_t count = 0;
    for (const ServedRequest& request : requests()) {
      count += request.target.find(part) != std::string::npos ? 1 : 0;
    }
    return count;
  }

  nlohmann::json List() const {
    nlohmann::json list = {{{"type", "directory"}, {"path", "original"}, {"size", 0}}};
    for (const auto& [path, bytes] : files) {
      nlohmann::json entry = {
          {"type", "file"}, {"path", path}, {"size", bytes.size()}, {"oid", GitBlobId(bytes)}};
      if (bytes.size() >= 10'000) {
        entry["lfs"] = {{"oid", Sha256OfText(bytes)}, {"size", bytes.size()}};
      }
      list.push_back(entry);
    }
    return list;
  }

  // A proper answer with the asked range of `bytes`.
  static void ServeFile(const ServedRequest& request, const ServedConnection& connection,
                        const std::string& bytes, const std::string& fields = "") {
    const std::string range = request.Field("range");
    if (range.empty()) {
      connection.Answer("200 OK", bytes, fields);
      return;
    }
    const auto [begin, last] = RangeOf(request);
    const std::string body = bytes.substr(begin, last - begin + 1);
    connection.Answer("206 Partial Content", body,
                      "Content-Range: bytes " + std::to_string(begin) + "-" +
                          std::to_string(begin + body.size() - 1) + "/" +
                          std::to_string(bytes.size()) + "\r\n" + fields);
  }
  // First and last byte; REQUIRES: there is a Range field.
  static std::pair<std::size_t, std::size_t> RangeOf(const ServedRequest& request) {
    const std::string range = request.Field("range").substr(6);  // "bytes="
    return {std::stoul(range), std::stoul(range.substr(range.find('-') + 1))};
  }

 private:
  void Serve(const ServedRequest& request, ServedConnection& connection) {
    if (interception_ && interception_(request, connection)) {
      return;
    }
    const std::string api = "/api/models/owner/model/";
    const std::string resolve =
        std::string("/owner/model/resolve/") + (has_revisions ? kCommit : "main") + "/";
    if (request.target == api + "revision/main" && has_revisions) {
      connection.Answer("200 OK", "{\"sha\": \"" + std::string(kCommit) + "\"}");
    } else if (request.target ==
               api + "tree/" + (has_revisions ? kCommit : "main") + "?recursive=true") {
      connection.Answer("200 OK", List().dump());
    } else if (request.target.starts_with(resolve) &&
               files.contains(request.target.substr(resolve.size()))) {
      ServeFile(request, connection, files[request.target.substr(resolve.size())]);
    } else {
      connection.Answer("404 Not Found", "{}");
    }
  }

  Interception interception_;
  TestServer server_;  // last: it begins to serve at once
};

class TestObserver final : public PullObserver {
 public:
  void Note(const std::string& line) override { notes += line + "\n"; }
  void Progress(const PullPosition& position) override {
    ++reports;
    last = position;
    if (on_progress) {
      on_progress(position);
    }
  }

  std::string notes;
  int reports = 0;
  PullPosition last;
  std::function<void(const PullPosition&)> on_progress;
};

class PullTest : public ::testing::Test {
 protected:
  PullTest() {
    ::setenv("no_proxy", "*", 1);
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    std::string pattern = (memory ? "/dev/shm" : std::filesystem::temp_directory_path().string()) +
                          std::string("/safeguard.XXXXXX");
    folder = ::mkdtemp(pattern.data());
    request.name = "owner/model";
    request.folder = folder + "/to";
    settings.chunk_bytes = kTestChunk;
    settings.chunks_per_request = 4;
    settings.timing.stall = std::chrono::milliseconds(60);
    settings.timing.backoff_first = std::chrono::milliseconds(1);
    settings.timing.backoff_longest = std::chrono::milliseconds(4);
    settings.timing.wait_longest = std::chrono::milliseconds(1000);
    settings.timing.sync = std::chrono::milliseconds(5);
    settings.timing.poll = std::chrono::milliseconds(2);
    settings.timing.tries = 4;
  }
  ~PullTest() override { std::filesystem::remove_all(folder); }

  Result<PullReport> Pull(const TestHub& hub) {
    settings.endpoint = hub.Url();
    return PullModel(request, settings, observer, stop);
  }
  // The message and hint that the pull fails with.
  std::string PullError(const TestHub& hub) {
    const Result<PullReport> report = Pull(hub);
    return report ? "no error" : Describe(report.error());
  }
  [[nodiscard]] std::string Read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(request.folder + "/" + name, std::ios::binary).rdbuf();
    return text.str();
  }
  [[nodiscard]] bool Exists(const std::string& name) const {
    return std::filesystem::exists(request.folder + "/" + name);
  }
  // Parts and states in the working folder.
  [[nodiscard]] std::size_t Leftovers() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(request.folder + "/" +
                                                                 std::string(".safeguard-pull"))) {
      const std::string name = entry.path().filename().string();
      count += name == "lock" || name == "pulled.json" ? 0 : 1;
    }
    return count;
  }

  std::string folder;
  PullRequest request;
  PullSettings settings;
  TestObserver observer;
  std::atomic<bool> stop = false;
};

}  // namespace safeguard::apps::pull
