// Letters of other scripts that look like Latin letters (Unicode TS 39, confusables.txt, through
// ICU's skeletons). Thread-safe; the table is opened at the first call.
#pragma once

namespace safeguard::unicode {

// The ASCII letter that `code_point` is drawn like, in its own case, or 0. Only letters of
// left-to-right alphabets that are used to imitate Latin are asked: Cyrillic, Greek, Armenian,
// Cherokee, Lisu and the like. Latin letters, accented ones too, have none.
char LatinLookalike(char32_t code_point);

// As above, but also letters that resemble Latin ones only to a willing reader (к for k, я for R).
// Right inside a word that has Latin letters, and far too much for a word of their own script.
char LooseLatinLookalike(char32_t code_point);

// Latin letters that no orthography's plain text uses as such and text generators do: small
// capitals, turned letters, script forms. 0 for all others.
char PlainLatin(char32_t code_point);

}  // namespace safeguard::unicode
