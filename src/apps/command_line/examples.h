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

A policy is any Markdown or text file. Evidence is given in byte offsets. With --data-dir or
$SAFEGUARD_DATA a name means the policy in that store: its active version, or for its percentage of
contents the canary. name@3, name@HASH, name@canary mean that version.
)";

inline constexpr const char* kBatchExamples = R"(Examples:
  safeguard batch --policy spam --in comments.jsonl --out verdicts.jsonl
  safeguard batch --policy spam --policy hate --in posts.csv --text-field body --out verdicts.jsonl
  zcat log.jsonl.gz | safeguard batch --policy spam --in - --out - | gzip > verdicts.jsonl.gz

Stopped by Ctrl-C, a crash or a full disk, the same command goes on where it stopped; what it needs
for that stands in OUT.resume, which may be deleted once all is done. Another input, policy, model
or setting is refused, unless --restart begins again. A line that cannot be read is named on
standard error, left out and counted; the exit code is then 2. A policy named without a version
follows the store: a promote or rollback is there from the next batch on, and each line names the
version and hash that judged it.
)";

inline constexpr const char* kCascadeExamples = R"(Examples:
  safeguard eval --policy spam --data labelled.csv --run screen.run.jsonl
  safeguard eval cascade screen.run.jsonl --recall 0.95 --specificity 0.97 --tokens 600
  safeguard eval cascade screen.run.jsonl --reasoner reasoner.run.jsonl --report curve.html

Nothing is judged: the screen's verdicts are those of RUN, the reasoner's those of another run or of
a synthetic one with these error rates. The budget's governor decides who is asked
(docs/cascade.md).
)";

inline constexpr const char* kEvalExamples = R"(Examples:
  safeguard eval --policy spam
  safeguard eval --policy spam --report spam.html --report spam.json
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
  safeguard policy show my_policy@2
  safeguard policy show policies/*/policy.md --screen-text --json
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

inline constexpr const char* kCalibrateExamples = R"(Examples:
  safeguard policy calibrate my_policy.md
  safeguard policy calibrate my_policy.md --miss-rate 0.1 --confidence 0.95
  safeguard policy calibrate spam --out spam.calibration.json

Fits a map from score to probability on the policy's golden set, and the score below which content
may be called safe so that at most --miss-rate of all violations are missed, with --confidence.
classify, batch and eval use it from then on; for a changed policy, golden set or model it must be
made again.
)";

inline constexpr const char* kListExamples = R"(Examples:
  safeguard policy list
  safeguard policy list spam --json
)";

inline constexpr const char* kPublishExamples = R"(Examples:
  safeguard policy publish my_policy.md --note "Cover giveaways"
  safeguard policy publish spam --id comment-spam
  safeguard policy publish my_policy.md --golden my_cases.jsonl --as ada

The new version is a draft: nothing is judged by it until it is promoted. The same bytes with the
same golden set are the same version, however often they are published.
)";

inline constexpr const char* kApproveExamples = R"(Examples:
  safeguard policy approve my_policy@2 --as grace --note "Checked against last week's appeals"

The approver is somebody other than the author. `policy settings --two-person on` asks for an
approval before a version may answer. Names are taken as given: who may write into the data folder
is for the system's permissions to say.
)";

inline constexpr const char* kPromoteExamples = R"(Examples:
  safeguard policy promote my_policy@2 --to shadow
  safeguard policy promote my_policy@2 --to canary --percent 10
  safeguard policy promote my_policy@latest --to active --note "Canary was quiet for a week"
  safeguard policy promote my_policy@1 --to draft

A draft becomes shadow, canary, active; steps may be left out, never taken back. A shadow judges what
is recorded (--record) and answers nothing. A canary answers for its percentage of contents or
accounts; those that are in stay in as it grows. An active version retires the one before. A retired
version may become a draft again, without its approval. A version in which `policy lint` finds an
error may be a shadow; as canary or active it takes --force.
)";

inline constexpr const char* kRollbackExamples = R"(Examples:
  safeguard policy rollback my_policy --note "Flags birthday wishes"

One step back, at once, for every running process. It needs no approval.
)";

inline constexpr const char* kRetireExamples = R"(Examples:
  safeguard policy retire my_policy@3
  safeguard policy retire my_policy --all --note "Feature was closed"

The active version retires when another one becomes active, or with --all.
)";

inline constexpr const char* kSettingsExamples = R"(Examples:
  safeguard policy settings
  safeguard policy settings --two-person on
  safeguard policy settings my_policy --two-person off
)";

inline constexpr const char* kImportExamples = R"(Examples:
  safeguard policy import policies/
  safeguard policy import policies/spam --note "From the repository"

Each NAME/policy.md, with golden.jsonl beside it, becomes a version of NAME unless the store has it. A
history written by `policy export` is taken over when it goes on where the store's ends.
)";

inline constexpr const char* kExportExamples = R"(Examples:
  safeguard policy export --to policies
  safeguard policy export spam --to policies --json

Writes NAME/policy.md and golden.jsonl (the newest version), history.jsonl and versions/, which only
ever grow: made for Git. `policy import` reads them back.
)";

inline constexpr const char* kPolicyLogExamples = R"(Examples:
  safeguard policy log
  safeguard policy log spam --limit 0 --json
)";

inline constexpr const char* kVerdictsExamples = R"(Examples:
  safeguard verdicts
  safeguard verdicts spam@3 --outcome violation --json
  safeguard verdicts spam --channel active --with-content --since 2026-11-01 --json > history.jsonl

Counts by policy, version and part; with --json the records, which batch and eval read as contents.
)";

inline constexpr const char* kJobsSubmitExamples = R"(Examples:
  safeguard jobs submit "Cheap followers! DM me" -p spam
  safeguard jobs submit -f post.txt -p spam --id post-17 --key post-17 --webhook https://example.com/verdicts

The exit code is that of the provisional verdict. What was submitted is on the disk when it is answered.
)";

inline constexpr const char* kJobsRunExamples = R"(Examples:
  safeguard jobs run --model gpt-oss-safeguard-20b
  safeguard jobs run --daemon --model gpt-oss-safeguard-20b --webhook-secret-file secrets.txt
  safeguard jobs run --daemon --route comments.yaml

Any number of these may run on one queue. One that is killed loses nothing: others go on where it was.
)";

inline constexpr const char* kJobsListExamples = R"(Examples:
  safeguard jobs list --state waiting
  safeguard jobs list --kind notify --json
)";

inline constexpr const char* kJobsShowExamples = R"(Examples:
  safeguard jobs show j0a1b2c3d4e5f60718293
)";

inline constexpr const char* kJobsRetryExamples = R"(Examples:
  safeguard jobs retry j0a1b2c3d4e5f60718293
  safeguard jobs retry --all
)";

inline constexpr const char* kReviewListExamples = R"(Examples:
  safeguard review list
  safeguard review list --state decided --policy spam --json
)";

inline constexpr const char* kReviewShowExamples = R"(Examples:
  safeguard review show 12
)";

inline constexpr const char* kReviewDecideExamples = R"(Examples:
  safeguard review decide 12 violation --rule SP2.a --why "sells followers"
  safeguard review decide 13 safe --why "a joke among friends" --as ada
)";

inline constexpr const char* kReviewExportExamples = R"(Examples:
  safeguard review export --policy spam --out decided.jsonl
)";

inline constexpr const char* kReviewPruneExamples = R"(Examples:
  safeguard review prune --older-than 30
)";

inline constexpr const char* kJobsDeadExamples = R"(Examples:
  safeguard jobs dead
  safeguard jobs dead --discard j0a1b2c3d4e5f60718293

Let them begin again with: safeguard jobs retry
)";

inline constexpr const char* kPolicyTestExamples = R"(Examples:
  safeguard policy test spam --min-pass 0.8
  safeguard policy test my_policy.md --golden my_cases.jsonl --junit results.xml
  safeguard policy test spam --mutation --text-only --min-pass 0
  safeguard policy test spam --ablation --min-pass 0 --json

Tests are the examples in the policy's text and the cases of its golden file; a case tagged
"known-gap" may fail. The screen learns from such cases, so each test is judged by a screen that has
not seen it. The exit code is 0 when enough tests pass, 1 when not, or 2, 4, 130 as below.
)";

inline constexpr const char* kPolicyDiffExamples = R"(Examples:
  safeguard policy diff spam my_spam.md
  safeguard policy diff v1.md v2.md --over comments.jsonl
  safeguard policy diff v1.md v2.md --over comments.jsonl --sample 2000 --scores verdicts_v1.jsonl
  safeguard policy diff v1.md v2.md --over comments.jsonl --budget 600 --markdown > review.md

With --over both versions judge the contents, and the verdicts that flip are counted. What would
take over two minutes is sampled, a tenth of the contents, in strata by language, surface and (with
--scores) band of the old version's score; the counts then come with the limits of their confidence.
The cost is measured on a few contents and told before it starts.
)";

inline constexpr const char* kBacktestExamples = R"(Examples:
  safeguard backtest spam --over comments.jsonl --out backtest.jsonl
  safeguard backtest v2.md --over comments.jsonl --then verdicts_v1.jsonl --out backtest.jsonl
  safeguard backtest v2.md --over comments.jsonl --out backtest.jsonl --rate 50 --detach
  safeguard backtest status backtest.jsonl
  safeguard backtest stop backtest.jsonl

OUT gets one verdict a line, as from batch; killed or stopped, the same command goes on where it
stopped, and no line is lost or repeated. With --detach the job runs on by itself and writes what it
has to say into OUT.log. With --then the verdicts are compared with those that were given before.
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

inline constexpr const char* kModelPackExamples = R"(Examples:
  safeguard model pack gpt-oss-safeguard-20b
  safeguard model pack model.gguf --precision int8 --json

The reasoner computes with weights in an order of its own. They are kept beside the model (where
that folder cannot be written, in the cache folder), so that the next start maps them: every start
makes the file when it is missing (--no-packed-file: not), and this command does it ahead of time.
It is about as large as the model. One that is damaged or of other weights is noticed and made anew.
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

inline constexpr const char* kListsCheckExamples = R"(Examples:
  safeguard lists check "get free money now" --list terms.jsonl --policy spam
  safeguard lists check --file post.txt --list lists --json

The exit code is 1 when an entry calls the content a violation, 3 when one wants it looked at, else
0. An error in any list is an error of the command: 4.
)";

inline constexpr const char* kListsAddExamples = R"(Examples:
  safeguard lists add terms.jsonl --term "free money" --action violation -p spam --reason "a scam"
  safeguard lists add terms.jsonl --allow "free money advice" --reason "a charity"
  safeguard lists add known.jsonl --near --action violation --reason "seen 40 times" --file post.txt

The text of --exact and --near is not kept, only its hash or fingerprint.
)";

inline constexpr const char* kListsShowExamples = R"(Examples:
  safeguard lists show terms.jsonl
  safeguard lists show lists --expired
)";

inline constexpr const char* kListsLintExamples = R"(Examples:
  safeguard lists lint terms.jsonl
  safeguard lists lint lists --policy spam
)";

}  // namespace safeguard::apps
