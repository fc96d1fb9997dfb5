// The works of `safeguard bench`, done by llama.cpp through its public C interface, and told in the
// same JSON. bench/compare.sh builds it against the headers and libraries of node-llama-cpp, and
// with SPEED_OF_IK against ik_llama.cpp, whose interface is an older one.
//
//   speed MODEL.gguf BACKEND_FOLDER THREADS WORK=SIZE ... [policy=N] [content=N] [answer=N]
//
// WORK is prefill, decode, items or instant, SIZE as in safeguard's --prefill, --batch and
// --in-flight. llama.cpp is given every advantage that its interface has: the policy is computed
// once and shared by llama_memory_seq_cp over one unified cache (its server computes it once a
// slot), contents go through in whole batches, all sequences decode in step, and loading, which
// repacks the weights, is not counted.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "ggml-backend.h"
#include "llama.h"

namespace {

#ifdef SPEED_OF_IK
constexpr const char* kTool = "ik_llama.cpp";

void LoadBackends(const char* /*folder*/) {}  // they are linked
void BeFast(llama_model_params& params) {
  params.use_mmap = false;
  params.repack_tensors = true;
}
void BeFast(llama_context_params& params) {
  params.flash_attn = true;
}
int VocabularyOf(const llama_model* model) {
  return llama_n_vocab(model);
}
void Clear(llama_context* context) {
  llama_kv_cache_clear(context);
}
void Share(llama_context* context, int from, int to) {
  llama_kv_cache_seq_cp(context, from, to, -1, -1);
}
void Forget(llama_context* context, int sequence) {
  llama_kv_cache_seq_rm(context, sequence, -1, -1);
}
void Free(llama_model* model) {
  llama_free_model(model);
}
#else
constexpr const char* kTool = "llama.cpp";

void LoadBackends(const char* folder) {
  ggml_backend_load_all_from_path(folder);
}
void BeFast(llama_model_params& params) {
  params.load_mode =
      LLAMA_LOAD_MODE_NONE;  // repacked: its fast way, and half the memory of mapping
}
void BeFast(llama_context_params& params) {
  params.swa_full = true;
  params.kv_unified = true;
}
int VocabularyOf(const llama_model* model) {
  return llama_vocab_n_tokens(llama_model_get_vocab(model));
}
void Clear(llama_context* context) {
  llama_memory_clear(llama_get_memory(context), true);
}
void Share(llama_context* context, int from, int to) {
  llama_memory_seq_cp(llama_get_memory(context), from, to, -1, -1);
}
void Forget(llama_context* context, int sequence) {
  llama_memory_seq_rm(llama_get_memory(context), sequence, -1, -1);
}
void Free(llama_model* model) {
  llama_model_free(model);
}
#endif

using Clock = std::chrono::steady_clock;
using Ids = std::vector<llama_token>;

constexpr int kOrdinaryIds = 199998;
constexpr int kStepTokens = 512;  // of one llama_decode: its default physical batch

struct Shape {
  int policy = 1500;
  int content = 100;
  int answer = 150;
};

double Seconds(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Ids RandomIds(int count, std::uint64_t seed) {
  std::mt19937_64 random(1'000'003 + seed);
  std::uniform_int_distribution<int> id(0, kOrdinaryIds - 1);
  Ids ids(static_cast<std::size_t>(count));
  std::generate(ids.begin(), ids.end(), [&] { return id(random); });
  return ids;
}

class Peer {
 public:
  Peer(llama_model* model, int threads, int sequences, int context) {
    llama_context_params params = llama_context_default_params();
    params.n_ctx = static_cast<std::uint32_t>(context);
    params.n_batch = kStepTokens;
    params.n_ubatch = kStepTokens;
    params.n_seq_max = static_cast<std::uint32_t>(sequences + 1);
    params.n_threads = threads;
    params.n_threads_batch = threads;
    BeFast(params);
    context_ = llama_init_from_model(model, params);
    if (context_ == nullptr) {
      std::fprintf(stderr, "speed: the engine gives no context of %d tokens\n", context);
      std::exit(4);
    }
    vocabulary_ = VocabularyOf(model);
    batch_ = llama_batch_init(kStepTokens, 0, 1);
  }
  ~Peer() {
    llama_batch_free(batch_);
    llama_free(context_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void Clear() { ::Clear(context_); }
  void Share(int from, int to) { ::Share(context_, from, to); }
  void Forget(int sequence) { ::Forget(context_, sequence); }

  // The batch runs when it is full, and by Flush.
  void Add(llama_token id, int position, int sequence, bool logits) {
    if (batch_.n_tokens == kStepTokens) {
      Flush();
    }
    const int i = batch_.n_tokens++;
    batch_.token[i] = id;
    batch_.pos[i] = position;
    batch_.n_seq_id[i] = 1;
    batch_.seq_id[i][0] = sequence;
    batch_.logits[i] = logits ? 1 : 0;
    if (logits) {
      outputs_.push_back({sequence, i});
    }
  }
  // The likeliest next token of every sequence that asked for logits goes into `next`.
  void Flush() {
    if (batch_.n_tokens == 0) {
      return;
    }
    if (llama_decode(context_, batch_) != 0) {
      std::fprintf(stderr, "speed: llama_decode failed\n");
      std::exit(4);
    }
    llama_synchronize(context_);
    for (const auto& [sequence, index] : outputs_) {
      const float* row = llama_get_logits_ith(context_, index);
      next[sequence] = static_cast<llama_token>(std::max_element(row, row + vocabulary_) - row);
    }
    outputs_.clear();
    batch_.n_tokens = 0;
  }

  std::map<int, llama_token> next;

 private:
  llama_context* context_ = nullptr;
  llama_batch batch_{};
  std::vector<std::pair<int, int>> outputs_;
  int vocabulary_ = 0;
};

void Prompt(Peer& peer, const Ids& ids, int position, int sequence, bool logits) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    peer.Add(ids[i], position + static_cast<int>(i), sequence, logits && i + 1 == ids.size());
  }
}

double Prefill(Peer& peer, int tokens) {
  peer.Clear();
  const auto begin = Clock::now();
  Prompt(peer, RandomIds(tokens, 2'000'000U + static_cast<unsigned>(tokens)), 0, 0, true);
  peer.Flush();
  return tokens / Seconds(begin);
}

// Sequences 1 to `count` behind one policy, each with a content of its own; their first tokens.
void Contents(Peer& peer, const Shape& shape, int count, unsigned first) {
  for (int s = 1; s <= count; ++s) {
    peer.Share(0, s);
    Prompt(peer, RandomIds(shape.content, first + static_cast<unsigned>(s)), shape.policy, s, true);
  }
  peer.Flush();
}

void Decode(Peer& peer, const Shape& shape, int count, int tokens) {
  for (int t = 0; t < tokens; ++t) {
    for (int s = 1; s <= count; ++s) {
      peer.Add(peer.next[s], shape.policy + shape.content + t, s, true);
    }
    peer.Flush();
  }
}

void Policy(Peer& peer, const Shape& shape) {
  peer.Clear();
  Prompt(peer, RandomIds(shape.policy, 0), 0, 0, false);
  peer.Flush();
}

double Measure(Peer& peer, const std::string& work, int size, const Shape& shape) {
  if (work == "prefill") {
    return Prefill(peer, size);
  }
  Policy(peer, shape);
  const auto begin = Clock::now();
  Contents(peer, shape, size, 1000);
  if (work == "instant") {
    return size / Seconds(begin);
  }
  const auto decoding = Clock::now();
  Decode(peer, shape, size, shape.answer - 1);
  return work == "decode" ? size * (shape.answer - 1) / Seconds(decoding)
                          : 60 * size / Seconds(begin);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: speed MODEL.gguf BACKEND_FOLDER THREADS WORK=SIZE ...\n");
    return 2;
  }
  Shape shape;
  std::vector<std::pair<std::string, int>> works;
  for (int i = 4; i < argc; ++i) {
    const std::string word = argv[i];
    const std::string name = word.substr(0, word.find('='));
    const int value = std::atoi(word.c_str() + std::min(word.size(), name.size() + 1));
    if (value < 1) {
      std::fprintf(stderr, "speed: %s: NAME=NUMBER is wanted\n", argv[i]);
      return 2;
    }
    if (name == "policy" || name == "content" || name == "answer") {
      (name == "policy" ? shape.policy : name == "content" ? shape.content : shape.answer) = value;
    } else {
      works.emplace_back(name, value);
    }
  }
  llama_log_set(
      [](ggml_log_level level, const char* text, void*) {
        if (level == GGML_LOG_LEVEL_ERROR) {
          std::fputs(text, stderr);
        }
      },
      nullptr);
  LoadBackends(argv[2]);
  llama_backend_init();
  llama_model_params params = llama_model_default_params();
  BeFast(params);
  llama_model* model = llama_model_load_from_file(argv[1], params);
  if (model == nullptr) {
    std::fprintf(stderr, "speed: %s cannot be loaded\n", argv[1]);
    return 4;
  }
  int sequences = 1;
  int context = 0;
  for (const auto& [work, size] : works) {
    const bool prefill = work == "prefill";
    sequences = std::max(sequences, prefill ? 1 : size);
    context =
        std::max(context, prefill ? size : shape.policy + size * (shape.content + shape.answer));
  }
  Peer peer(model, std::atoi(argv[3]), sequences, context + 256);
  Prefill(peer, 32);  // warm
  std::printf("{\"tool\":\"%s\",\"results\":[", kTool);
  const char* comma = "";
  for (const auto& [work, size] : works) {
    const double rate = Measure(peer, work, size, shape);
    std::printf("%s{\"work\":\"%s-%d\",\"median\":%.6g}", comma, work.c_str(), size, rate);
    std::fflush(stdout);
    std::fprintf(stderr, "%s %s-%d: %.4g\n", kTool, work.c_str(), size, rate);
    comma = ",";
  }
  std::printf("]}\n");
  Free(model);
}
