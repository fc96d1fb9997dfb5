#include "moderation/policy/words.h"

#include <algorithm>
#include <array>

namespace safeguard::moderation::reading {
namespace {

using std::string_view;

constexpr bool kStem = true;

constexpr auto kViolating = std::to_array<Term>({
    {"violat", kStem},
    {"disallow", kStem},
    {"prohibit", kStem},
    {"forbid", kStem},
    {"banned"},
    {"unsafe"},
    {"invalid"},
    {"unacceptabl", kStem},
    {"impermissib", kStem},
    {"infring", kStem},
    {"noncompliant"},
    {"don'ts"},
    {"verboten", kStem},
    {"verstöß", kStem},
    {"verstoß", kStem},
    {"unzulässig", kStem},
    {"verletz", kStem},
    {"interdit", kStem},
    {"enfreint"},
    {"enfreignant"},
    {"viole"},
    {"viola"},
    {"violan"},
    {"vulnera", kStem},
    {"incumpl", kStem},
    {"untersagt", kStem},
    {"inaceptabl", kStem},
    {"inadmisibl", kStem},
    {"inadmissibl", kStem},
    {"inacceptabl", kStem},
    {"nonallowed"},
    {"prohibid", kStem},
    {"proibid", kStem},
    {"infracc", kStem},
    {"infraç", kStem},
    {"vietat", kStem},
    {"запрещ", kStem},
    {"наруш", kStem},
    {"недопуст", kStem},
    {"ممنوع", kStem},
    {"غیرمجاز"},
    {"غیر‌مجاز"},
    {"نقض"},
    {"تخلف"},
    {"محظور", kStem},
    {"مخالف", kStem},
    {"yasak", kStem},
    {"निषिद्ध"},
    {"unpermitted"},
    {"nonpermissible"},
    {"breach", kStem},
});

constexpr auto kSafe = std::to_array<Term>({
    {"safe"},
    {"allow", kStem},
    {"permit", kStem},
    {"permissib", kStem},
    {"acceptabl", kStem},
    {"valid"},
    {"compliant"},
    {"benign"},
    {"legitimate"},
    {"okay"},
    {"ok"},
    {"harmless"},
    {"nonviolat", kStem},
    {"dos"},
    {"erlaubt", kStem},
    {"zulässig", kStem},
    {"unbedenklich"},
    {"autorisé", kStem},
    {"autoriza", kStem},
    {"toléré", kStem},
    {"admis"},
    {"admise"},
    {"admitid", kStem},
    {"zugelassen", kStem},
    {"unproblematisch", kStem},
    {"permis"},
    {"permise"},
    {"permises"},
    {"conforme", kStem},
    {"acceptable"},
    {"permitid", kStem},
    {"aceptabl", kStem},
    {"aceitáv", kStem},
    {"consentit", kStem},
    {"разреш", kStem},
    {"допуст", kStem},
    {"مجاز"},
    {"مسموح", kStem},
    {"serbest"},
    {"अनुमत"},
    {"غيرمحظور"},
});

constexpr auto kException = std::to_array<Term>({
    {"exception", kStem},
    {"exempt", kStem},
    {"exclusion", kStem},
    {"carve"},
    {"ausnahme", kStem},
    {"excepci", kStem},
    {"exceç", kStem},
    {"eccezion", kStem},
    {"исключ", kStem},
    {"استثنا", kStem},
    {"استثناء"},
});

constexpr auto kWeakViolating = std::to_array<Term>({
    {"include", kStem}, {"including"},
    {"remove"},         {"removed"},
    {"block"},          {"blocked"},
    {"reject"},         {"rejected"},
    {"flag"},           {"flagged"},
    {"flags"},          {"harmful"},
    {"toxic"},          {"abusive"},
    {"inappropriate"},  {"nocivo"},
    {"nuisible"},       {"schädlich", kStem},
    {"deny"},           {"denied"},
    {"unacceptable"},   {"ban"},
    {"bans"},           {"in-scope"},
    {"breaches"},
});

constexpr auto kWeakSafe = std::to_array<Term>({
    {"exclude", kStem},
    {"excluding"},
    {"keep"},
    {"leave"},
    {"approve"},
    {"approved"},
    {"appropriate"},
    {"nontoxic"},
    {"nonharmful"},
    {"accept"},
    {"accepted"},
    {"pass"},
    {"fine"},
    {"ignore"},
});

constexpr auto kNegating = std::to_array<Term>({
    {"not"},         {"non"}, {"no"},      {"never"}, {"cannot"}, {"isnt"}, {"doesnt"}, {"nicht"},
    {"kein", kStem}, {"pas"}, {"ne"},      {"não"},   {"nao"},    {"не"},   {"нет"},    {"غیر"},
    {"غير"},         {"لا"},  {"neither"}, {"nor"},   {"değil"},  {"नहीं"},  {"عدم"},
});

constexpr auto kModal = std::to_array<Term>({
    {"must"},   {"shall"}, {"should"},  {"may"},       {"muss"},   {"müssen"},  {"darf"},
    {"dürfen"}, {"soll"},  {"sollte"},  {"sollten"},   {"doit"},   {"doivent"}, {"debe"},
    {"deben"},  {"deve"},  {"devem"},   {"должен"},    {"должна"}, {"должны"},  {"должно"},
    {"باید"},   {"يجب"},   {"mustn't"}, {"shouldn't"}, {"نباید"},
});

constexpr auto kAvoiding = std::to_array<Term>({
    {"avoid", kStem},
    {"refrain", kStem},
    {"abstain", kStem},
    {"vermeiden"},
    {"éviter"},
    {"evitar"},
    {"избегать"},
    {"پرهیز"},
    {"خودداری"},
    {"اجتناب"},
});

constexpr auto kDefinitions = std::to_array<Term>({
    {"definition", kStem},
    {"glossar", kStem},
    {"terminolog", kStem},
    {"begriff", kStem},
    {"définition", kStem},
    {"definici", kStem},
    {"definiç", kStem},
    {"definizion", kStem},
    {"определен", kStem},
    {"تعریف"},
    {"تعاریف"},
    {"تعريفات"},
    {"tanım", kStem},
    {"परिभाषा", kStem},
});

constexpr auto kExamples = std::to_array<Term>({
    {"example", kStem},
    {"exemplar", kStem},
    {"sample"},
    {"samples"},
    {"scenarios"},
    {"illustration", kStem},
    {"beispiel", kStem},
    {"exemple", kStem},
    {"ejemplo", kStem},
    {"exemplo", kStem},
    {"esempi", kStem},
    {"пример", kStem},
    {"مثال", kStem},
    {"نمونه", kStem},
    {"أمثلة"},
    {"örnek", kStem},
    {"उदाहरण", kStem},
});

constexpr auto kInstructions = std::to_array<Term>({
    {"instruct", kStem},
    {"goal", kStem},
    {"task", kStem},
    {"role"},
    {"objective", kStem},
    {"purpose"},
    {"overview"},
    {"scope"},
    {"background"},
    {"introduc", kStem},
    {"output", kStem},
    {"format"},
    {"label"},
    {"labels"},
    {"labelling"},
    {"labeling"},
    {"respond"},
    {"response"},
    {"answer", kStem},
    {"preceden", kStem},
    {"priorit", kStem},
    {"tie"},
    {"tiebreak", kStem},
    {"ambigu", kStem},
    {"escalat", kStem},
    {"interpret", kStem},
    {"guidance"},
    {"note"},
    {"notes"},
    {"evaluat", kStem},
    {"procedure", kStem},
    {"process"},
    {"steps"},
    {"enforce", kStem},
    {"changelog"},
    {"version"},
    {"reference", kStem},
    {"appendix"},
    {"annex"},
    {"reviewer", kStem},
    {"input"},
    {"about"},
    {"summary"},
    {"reminder", kStem},
    {"decision"},
    {"handling"},
    {"rationale"},
    {"aufgabe"},
    {"anweisung", kStem},
    {"ausgabe", kStem},
    {"ziel"},
    {"vorrang"},
    {"consigne", kStem},
    {"sortie"},
    {"objectif", kStem},
    {"instruccion", kStem},
    {"salida"},
    {"respuesta"},
    {"objetivo", kStem},
    {"instruç", kStem},
    {"saída"},
    {"инструкц", kStem},
    {"цель"},
    {"دستورالعمل", kStem},
    {"خروجی"},
    {"هدف"},
    {"دستور"},
    {"تعليمات"},
});

constexpr auto kCriteria = std::to_array<Term>({
    {"criteri", kStem},
    {"rule"},
    {"rules"},
    {"guideline", kStem},
    {"standards"},
    {"requirement", kStem},
    {"categor", kStem},
    {"kriteri", kStem},
    {"regel", kStem},
    {"règle", kStem},
    {"regla", kStem},
    {"regra", kStem},
    {"правил", kStem},
    {"معیار", kStem},
    {"قوانین"},
    {"قواعد"},
});

constexpr auto kViolatingPieces = std::to_array<string_view>(
    {"禁止", "违规", "違規", "违反", "違反", "不允许", "不允許", "不可", "不安全", "금지", "위반"});
constexpr auto kSafePieces =
    std::to_array<string_view>({"不违反", "不違反", "違反しない", "違反では", "未违规", "允许",
                                "允許", "許可", "許容", "安全", "合规", "合規", "허용", "안전"});
constexpr auto kDefinitionPieces =
    std::to_array<string_view>({"定义", "定義", "术语", "用語", "정의"});
constexpr auto kExamplePieces =
    std::to_array<string_view>({"示例", "例子", "样例", "範例", "例:", "예시"});
constexpr auto kInstructionPieces = std::to_array<string_view>(
    {"指示", "说明", "說明", "输出", "輸出", "出力", "目标", "目的", "지침", "출력"});

constexpr auto kContentFields = std::to_array<string_view>({
    "content",    "input",        "text",     "message",       "user message",
    "post",       "comment",      "prompt",   "example",       "user",
    "query",      "question",     "q",        "statement",     "sample",
    "user input", "conversation", "review",   "example input", "content to classify",
    "eingabe",    "inhalt",       "text",     "entrada",       "contenido",
    "contenu",    "entrée",       "texte",    "texto",         "conteúdo",
    "mensaje",    "nachricht",    "beispiel", "ввод",          "текст",
    "сообщение",  "متن",          "محتوا",    "ورودی",         "پیام",
    "المحتوى",    "النص",         "内容",     "输入",          "輸入",
    "入力",       "내용",         "입력",
});
constexpr auto kLabelFields = std::to_array<string_view>({
    "output",
    "answer",
    "label",
    "labels",
    "classification",
    "verdict",
    "decision",
    "expected",
    "expected output",
    "expected answer",
    "expected label",
    "expected response",
    "correct answer",
    "correct label",
    "response",
    "result",
    "a",
    "class",
    "judgement",
    "judgment",
    "category",
    "policy category",
    "violation",
    "example output",
    "outcome",
    "ausgabe",
    "antwort",
    "entscheidung",
    "salida",
    "respuesta",
    "etiqueta",
    "sortie",
    "réponse",
    "étiquette",
    "saída",
    "resposta",
    "rótulo",
    "вывод",
    "ответ",
    "метка",
    "خروجی",
    "پاسخ",
    "برچسب",
    "الإجابة",
    "التصنيف",
    "输出",
    "輸出",
    "标签",
    "標籤",
    "答案",
    "出力",
    "回答",
    "ラベル",
    "출력",
    "답변",
});
constexpr auto kReasonFields = std::to_array<string_view>({
    "reason", "reasons",   "rationale",     "explanation", "analysis",   "why",    "note",
    "notes",  "reasoning", "justification", "context",     "begründung", "raison", "razón",
    "motivo", "причина",   "دلیل",          "理由",        "原因",
});

}  // namespace

std::span<const Term> ViolatingTerms() {
  return kViolating;
}
std::span<const Term> SafeTerms() {
  return kSafe;
}
std::span<const Term> ExceptionTerms() {
  return kException;
}
std::span<const Term> WeakViolatingTerms() {
  return kWeakViolating;
}
std::span<const Term> WeakSafeTerms() {
  return kWeakSafe;
}
std::span<const Term> NegatingTerms() {
  return kNegating;
}
std::span<const Term> ModalTerms() {
  return kModal;
}
std::span<const Term> AvoidingTerms() {
  return kAvoiding;
}
std::span<const Term> DefinitionTerms() {
  return kDefinitions;
}
std::span<const Term> ExampleTerms() {
  return kExamples;
}
std::span<const Term> InstructionTerms() {
  return kInstructions;
}
std::span<const Term> CriteriaTerms() {
  return kCriteria;
}
std::span<const string_view> ViolatingPieces() {
  return kViolatingPieces;
}
std::span<const string_view> SafePieces() {
  return kSafePieces;
}
std::span<const string_view> DefinitionPieces() {
  return kDefinitionPieces;
}
std::span<const string_view> ExamplePieces() {
  return kExamplePieces;
}
std::span<const string_view> InstructionPieces() {
  return kInstructionPieces;
}
std::span<const string_view> ContentFields() {
  return kContentFields;
}
std::span<const string_view> LabelFields() {
  return kLabelFields;
}
std::span<const string_view> ReasonFields() {
  return kReasonFields;
}

bool Contains(std::span<const Term> terms, string_view word) {
  if (word.empty()) {
    return false;
  }
  return std::ranges::any_of(terms, [word](const Term& term) {
    // The first byte alone rules out nearly all: this runs for every word of a policy.
    return term.text.front() == word.front() &&
           (term.stem ? word.starts_with(term.text) : word == term.text);
  });
}

bool Contains(std::span<const string_view> names, string_view name) {
  return std::ranges::any_of(
      names, [name](string_view known) { return known.size() == name.size() && known == name; });
}

}  // namespace safeguard::moderation::reading
