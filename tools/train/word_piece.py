"""WordPiece as bert-base-uncased's tokenizer.json says; the C++ one is engine/text/word_piece.h."""
import json
import unicodedata

_CJK = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
        (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))
CLS, SEP, UNKNOWN = 101, 102, 100
_WORD_MAX = 100


def _cjk(code):
    return any(first <= code <= last for first, last in _CJK)


def _punctuation(c):
    code = ord(c)
    if 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126:
        return True
    return unicodedata.category(c).startswith('P')


class WordPiece:
    def __init__(self, tokenizer_json):
        with open(tokenizer_json, encoding='utf-8') as file:
            self.vocab = json.load(file)['model']['vocab']
        self._words = {}

    def words(self, text):
        out = []
        for c in text:
            code = ord(c)
            if code in (0, 0xFFFD) or (unicodedata.category(c).startswith('C') and c not in '\t\n\r'):
                continue
            if c.isspace():
                out.append(' ')
            elif _cjk(code):
                out.append(' ' + c + ' ')
            else:
                out.append(c)
        text = ''.join(out)
        text = ''.join(c for c in unicodedata.normalize('NFD', text) if unicodedata.category(c) != 'Mn').lower()
        words, word = [], []
        for c in text:
            if c.isspace() or _punctuation(c):
                if word:
                    words.append(''.join(word))
                    word = []
                if not c.isspace():
                    words.append(c)
            else:
                word.append(c)
        if word:
            words.append(''.join(word))
        return words

    def _pieces(self, word):
        if len(word) > _WORD_MAX:
            return [UNKNOWN]
        pieces, begin = [], 0
        while begin < len(word):
            end = len(word)
            while end > begin:
                piece = self.vocab.get(('##' if begin else '') + word[begin:end])
                if piece is not None:
                    break
                end -= 1
            if end == begin:
                return [UNKNOWN]
            pieces.append(piece)
            begin = end
        return pieces

    def ids(self, text):
        result = []
        for word in self.words(text):
            pieces = self._words.get(word)
            if pieces is None:
                pieces = self._words[word] = self._pieces(word)
            result += pieces
        return result

    def block(self, text, tokens_max):
        """[CLS] text [SEP], cut to tokens_max in all."""
        return [CLS] + self.ids(text)[:tokens_max - 2] + [SEP]
