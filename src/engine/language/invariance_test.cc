// Same question, same answer: through checkpoint, network, scheduler and sampler, the tokens and
// their log-probabilities are the same bits whatever else runs beside them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "engine/language_model.h"
#include "engine/model_synth.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kRequests = 16;
constexpr std::size_t kPrefix = 150;  // longer than the sliding window

struct Setting {
  const char* name;
  std::size_t batch;
  std::size_t threads;
  std::size_t step_tokens;
  bool share_prefix;
  DraftSettings drafts = {.mode = DraftSettings::Mode::kOff};
  std::string prefix_folder = {};
};

// A tokenizer of the 256 single bytes: nothing needs to be fetched for this test.
std::string ByteRankFile() {
  constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string path =
      testing::TempDir() + "/invariance-" + std::to_string(::getpid()) + ".tiktoken";
  std::ofstream file(path);
  for (unsigned byte = 0; byte < 256; ++byte) {
    file << alphabet[byte >> 2U] << alphabet[(byte & 3U) << 4U] << "== " << byte << "\n";
  }
  return path;
}

std::string SmallModel() {
  const std::string path = testing::TempDir() + "/invariance-" + std::to_string(::getpid());
  SynthRequest request;
  request.shape = "tiny";
  request.seed = 11;
  request.out = path;
  request.overwrite = true;
  const Result<SynthResult> written = SynthesizeModel(request);
  EXPECT_TRUE(written.has_value()) << (written ? "" : Describe(written.error()));
  return path;
}

GenerationRequest Request(std::size_t i, bool share_prefix) {
  GenerationRequest request;
  for (std::size_t t = 0; t < kPrefix; ++t) {
    request.prompt.push_back(static_cast<std::uint32_t>(t * 7 % 256));
  }
  for (std::size_t t = 0; t < 1 + i % 23; ++t) {
    request.prompt.push_back(static_cast<std::uint32_t>((i * 31 + t * 5) % 256));
  }
  if (share_prefix) {
    request.prefix_ends = {kPrefix};
  }
  request.tokens_max = i % 4 == 0 ? 14 : 4;  // some long enough to repeat themselves
  request.stop_tokens.clear();
  request.sampling.temperature = i % 2 == 0 ? 0 : 0.8;
  request.sampling.seed = i;
  return request;
}

std::vector<GenerationResult> RunAll(const std::string& path, const Setting& setting,
                                     GeneratorCounters* counters = nullptr) {
  LanguageModelOptions options;
  options.rank_file = ByteRankFile();
  options.threads = setting.threads;
  options.generator.sequences_max = setting.batch;
  options.generator.step_tokens_max = setting.step_tokens;
  options.generator.drafts = setting.drafts;
  options.generator.prefix_folder = setting.prefix_folder;
  auto model = LanguageModel::Open(path, options);
  std::vector<GenerationResult> results(kRequests);
  if (!model) {
    ADD_FAILURE() << Describe(model.error());
    return results;
  }
  std::mutex mutex;
  std::condition_variable done;
  std::size_t left = kRequests;
  for (std::size_t i = 0; i < kRequests; ++i) {
    const auto submitted = (*model)->generator().Submit(Request(i, setting.share_prefix),
                                                        [&, i](GenerationResult result) {
                                                          const std::scoped_lock lock(mutex);
                                                          results[i] = std::move(result);
                                                          --left;
                                                          done.notify_all();
                                                        });
    EXPECT_TRUE(submitted.has_value());
  }
  std::unique_lock lock(mutex);
  done.wait(lock, [&left] { return left == 0; });
  if (counters != nullptr) {
    *counters = (*model)->generator().counters();
  }
  std::filesystem::remove(options.rank_file);
  return results;
}

TEST(Invariance, TokensAndLogprobsDoNotDependOnBatchThreadsStepsOrCache) {
  const std::string path = SmallModel();
  const std::vector<GenerationResult> alone = RunAll(path, {"alone", 1, 1, 4096, false});
  for (const Setting& setting :
       {Setting{"batch 8", 8, 1, 512, false}, Setting{"batch 64", 64, 1, 4096, false},
        Setting{"two threads", 8, 2, 512, false}, Setting{"small steps", 8, 2, 9, false},
        Setting{"shared prefix", 64, 2, 256, true}, Setting{"shared, alone", 1, 1, 64, true},
        Setting{"drafts", 8, 2, 64, true, {.mode = DraftSettings::Mode::kAlways}},
        Setting{"drafts, alone", 1, 1, 64, false, {.mode = DraftSettings::Mode::kAlways}},
        Setting{"to disk", 8, 2, 64, true, {}, path + "/prefixes"},
        Setting{"from disk", 8, 2, 64, true, {}, path + "/prefixes"}}) {
    const std::vector<GenerationResult> together = RunAll(path, setting);
    for (std::size_t i = 0; i < kRequests; ++i) {
      ASSERT_EQ(together[i].finish, FinishReason::kTokenLimit) << setting.name;
      ASSERT_EQ(together[i].tokens, alone[i].tokens) << setting.name << ", request " << i;
    }
  }
  std::filesystem::remove_all(path);
}

// A second start does not compute the policy again: by its counters, and with the same answers.
TEST(Invariance, AWarmFolderIsUsed) {
  const std::string path = SmallModel();
  const Setting setting{"disk", 8, 1, 512, true, {}, path + "/prefixes"};
  GeneratorCounters cold;
  const std::vector<GenerationResult> first = RunAll(path, setting, &cold);
  GeneratorCounters warm;
  const std::vector<GenerationResult> second = RunAll(path, setting, &warm);
  EXPECT_EQ(cold.prefix_loads, 0U);
  EXPECT_EQ(warm.prefix_loads, 1U);
  EXPECT_EQ(warm.prefix_misses, 0U);
  EXPECT_EQ(warm.prompt_tokens + kPrefix, cold.prompt_tokens);
  for (std::size_t i = 0; i < kRequests; ++i) {
    EXPECT_EQ(second[i].usage.cached_tokens, kPrefix);
    EXPECT_EQ(second[i].tokens, first[i].tokens);
  }
  // Damaged, it is computed as if it were not there, and written anew.
  for (const auto& file : std::filesystem::directory_iterator(setting.prefix_folder)) {
    std::filesystem::resize_file(file.path(), file.file_size() / 2);
  }
  GeneratorCounters damaged;
  RunAll(path, setting, &damaged);
  EXPECT_EQ(damaged.prefix_loads, 0U);
  EXPECT_EQ(damaged.prompt_tokens, cold.prompt_tokens);
  GeneratorCounters again;
  RunAll(path, setting, &again);
  EXPECT_EQ(again.prefix_loads, 1U);
  std::filesystem::remove_all(path);
}

TEST(Invariance, AWarmCacheIsUsed) {
  const std::string path = SmallModel();
  const std::vector<GenerationResult> results = RunAll(path, {"shared", 8, 1, 512, true});
  std::size_t cached = 0;
  for (const GenerationResult& result : results) {
    cached += result.usage.cached_tokens > 0 ? 1 : 0;
  }
  EXPECT_EQ(cached, kRequests - 1);  // all but the first
  std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace safeguard::engine
