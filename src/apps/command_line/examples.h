// Examples that end the help of each command. Each line is run by tests/e2e/help_test.sh.
#pragma once

namespace safeguard::apps {

inline constexpr const char* kTopExamples = R"(Examples:
  safeguard classify "Cheap followers! DM me to buy" --policy spam
  safeguard policy lint my_policy.md
  safeguard classify --file comment.txt --policy my_policy.md --json
  safeguard batch --policy spam --in comments.jsonl --out verdicts.jsonl
  safeguard eval --policy my_policy.md --data labelled.csv
)";

inline constexpr const char* kClassifyExamples = R"(Examples:
  safeguard classify "Cheap followers! DM me to buy"
  safeguard classify --policy spam --policy scams --file post.txt
  echo "you are all idiots" | safeguard classify --policy harassment --json
  safeguard classify --policy my_policy.md --golden my_cases.jsonl "some text"
  safeguard classify --conversation chat.json --policy prompt-injection

A policy is any Markdown or text file. Evidence is given in byte offsets.
)";

inline constexpr const char* kBatchExamples = R"(Examples:
  safeguard batch --policy spam --in comments.jsonl --out verdicts.jsonl
  safeguard batch --policy spam --policy hate --in posts.csv --text-field body --out verdicts.jsonl
  zcat log.jsonl.gz | safeguard batch --policy spam --in - --out - | gzip > verdicts.jsonl.gz

Stopped by Ctrl-C, a crash or a full disk, the same command goes on where it stopped; what it needs
for that stands in OUT.resume, which may be deleted once all is done. Another input, policy, model
or setting is refused, unless --restart begins again. A line that cannot be read is named on
standard error, left out and counted; the exit code is then 2.
)";

inline constexpr const char* kEvalExamples = R"(Examples:
  safeguard eval --policy spam
  safeguard eval --policy my_policy.md --data labelled.csv --text-field body --label-field verdict
  safeguard eval --policy harassment --data toxicchat.csv --format toxicchat --json
  safeguard eval --policy my_policy.md --data labelled.jsonl --cross-validate 5 --threshold 0.8
  safeguard eval -p my_policy.md -d export.csv --map text=body,label=is_bad,id=key --positive 1,spam
  safeguard eval --policy my_policy.md --recorded answers.jsonl
  safeguard eval --policy spam --data labelled.csv --run spam.run.jsonl
  safeguard eval --list-datasets

With --run every verdict is kept as it is made: killed or stopped, the same command goes on where
it was, and `eval rescore` and `eval compare` need no judge any more. With policies that each answer
for a label of the data (--label-of, or by their ids) the figures are by label, with multi-policy
accuracy: a record counts only when every label is right.

The exit code says whether the measurement was made, not what it found: 0, or 2, 4, 130 as below.
)";

inline constexpr const char* kRescoreExamples = R"(Examples:
  safeguard eval rescore spam.run.jsonl --threshold 0.7
  safeguard eval rescore spam.run.jsonl --json
)";

inline constexpr const char* kCompareExamples = R"(Examples:
  safeguard eval compare before.run.jsonl after.run.jsonl
  safeguard eval compare screen.run.jsonl reasoner.run.jsonl --json

Both runs must be of the same data. The difference is B minus A, with its paired bootstrap interval;
McNemar's test asks whether the cases that only one of them judged rightly are uneven by chance.
)";

inline constexpr const char* kShowExamples = R"(Examples:
  safeguard policy show spam
  safeguard policy show my_policy.md --json
)";

inline constexpr const char* kWarmExamples = R"(Examples:
  safeguard policy warm spam scams --model gpt-oss-safeguard-20b
  safeguard policy warm my_policy.md --model model.gguf --effort medium

What is computed is kept in $SAFEGUARD_CACHE/prefixes (default: ~/.cache/safeguard), and found there
by classify, batch and eval with the same model, processor, --effort, --answer, --placement and
--date. They also keep what they compute themselves.
)";

inline constexpr const char* kLintExamples = R"(Examples:
  safeguard policy lint my_policy.md
  safeguard policy lint policies/*/policy.md --json
)";

inline constexpr const char* kModelInfoExamples = R"(Examples:
  safeguard model info gpt-oss-safeguard-20b
  safeguard model info gpt-oss-safeguard-20b.gguf --tensors
  safeguard model info gpt-oss-safeguard-20b --hash --json
)";

inline constexpr const char* kModelVerifyExamples = R"(Examples:
  safeguard model verify gpt-oss-safeguard-20b
  safeguard model verify gpt-oss-safeguard-20b --sha256 SHA256SUMS

The exit code is 0 when nothing is wrong with the model, and 4 when something is.
)";

inline constexpr const char* kModelSynthExamples = R"(Examples:
  safeguard model synth --shape tiny --format gguf tiny.gguf
  safeguard model synth --shape 20b --seed 7 random-20b
  safeguard model synth --shape my_config.json --format gguf --dense bf16 small.gguf

The weights are random: such a model measures speed and proves formats, and judges nothing.
)";

inline constexpr const char* kModelTokensExamples = R"(Examples:
  safeguard model tokens < texts.jsonl
  safeguard model tokens gpt-oss-safeguard-20b < texts.jsonl > tokens.jsonl

Each line in is {"text": ...}, each line out {"text": ..., "tokens": [...]}. Text never becomes a
control token: "<|end|>" is five tokens.
)";

inline constexpr const char* kPullExamples = R"(Examples:
  safeguard model pull safeguard-20b
  safeguard model pull openai/gpt-oss-safeguard-120b --to /models/120b --connections 8
  safeguard model pull OWNER/NAME-GGUF --include '*Q8_0*.gguf'
  HF_TOKEN=... HF_ENDPOINT=https://hub.example.com safeguard model pull OWNER/NAME@v1 --json

Stopped by Ctrl-C, a crash or a full disk, the same command goes on where it stopped. Each file gets
its name only after its published checksum (SHA-256 or git blob id) has been checked. HF_ENDPOINT
names another server, HF_TOKEN an access token for it, SSL_CERT_FILE the certificates to trust. The
exit code is 0 when all files are in place, or 2, 4, 130 as below.
)";

inline constexpr const char* kModelLogitsExamples = R"(Examples:
  safeguard model logits gpt-oss-safeguard-20b --ids 200006,17360,200008
  safeguard model logits model.gguf --ids @prompt.txt --last 64 --precision f32 --out l.safetensors
)";

inline constexpr const char* kModelGenerateExamples = R"(Examples:
  safeguard model generate gpt-oss-safeguard-20b --ids @prompt.txt --greedy --max-tokens 32

Generation ends at <|return|> (200002), at <|call|> (200012) or after --max-tokens.
)";

inline constexpr const char* kBenchExamples = R"(Examples:
  safeguard bench gpt-oss-safeguard-20b
  safeguard bench model.gguf --work decode --batch 1,32 --answer-tokens 32 --runs 5 --json

prefill: one prompt, nothing shared. decode: sequences of different contents behind one policy, all
at once. items: contents with answers, the policy computed before. instant: two labels' scores and
no answer. Token ids are random: speed does not depend on what they say. LIMIT is what the measured
memory and arithmetic of this machine allow for the model's weights, each read once a step.
)";

inline constexpr const char* kCompletionExamples = R"(Examples:
  safeguard completion bash > ~/.local/share/bash-completion/completions/safeguard
  safeguard completion zsh > ~/.zfunc/_safeguard
  safeguard completion fish > ~/.config/fish/completions/safeguard.fish
)";

}  // namespace safeguard::apps
