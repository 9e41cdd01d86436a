#include "check.h"
#include "files.h"

static void shows(const tsws_tokenizer *tokenizer, int32_t previous, int32_t token, tsws_style style,
                  const char *expected) {
    tsws_piece piece = tsws_tokenizer_decode(tokenizer, previous, token, style);
    char text[64];

    memcpy(text, piece.text, piece.length);
    text[piece.length] = '\0';
    CHECK_TEXT(text, expected);
}

static void pieces_are_shown_as_llama2c_shows_them(void) {
    const char *const more[] = {" the", " ", "e", "\xc3\xa9", "\x01", "<0x41", "<0xa>x", "<0x", "<0xG>", "\t"};
    const tsws_style style = TSWS_STYLE_LLAMA2C;
    tsws_tokenizer *tokenizer = NULL;

    write_byte_tokenizer("bytes.bin", more, 10);
    if (!CHECK(tsws_tokenizer_open("bytes.bin", &tokenizer, NULL) == TSWS_OK)) {
        return;
    }
    shows(tokenizer, TSWS_BOS, 259, style, "the"); /* no space begins a text */
    shows(tokenizer, 261, 259, style, " the");
    shows(tokenizer, TSWS_BOS, 260, style, "");
    shows(tokenizer, 261, 260, style, " ");
    shows(tokenizer, 261, 262, style, "\xc3\xa9");
    shows(tokenizer, 261, 263, style, ""); /* a control character alone */
    shows(tokenizer, 261, 264, style, "A");
    shows(tokenizer, 261, 265, style, "\n");
    shows(tokenizer, 261, 266, style, "<0x");
    shows(tokenizer, 261, 267, style, "<0xG>");
    shows(tokenizer, 261, 268, style, "\t");
    shows(tokenizer, 261, 3 + 'A', style, "A");
    shows(tokenizer, 261, 3 + ' ', style, " ");
    shows(tokenizer, 261, 3 + '~', style, "~");
    shows(tokenizer, 261, 3 + '\n', style, "\n");
    shows(tokenizer, 261, 3 + 0x1f, style, "");
    shows(tokenizer, 261, 3 + 0x7f, style, "");
    shows(tokenizer, 261, 3 + 0xc3, style, "");
    shows(tokenizer, 261, 3, style, "");
    shows(tokenizer, 261, TSWS_UNK, style, "<unk>");
    shows(tokenizer, 261, TSWS_EOS, style, "\n</s>\n");
    shows(tokenizer, 261, -1, style, "");
    shows(tokenizer, 261, 269, style, "");
    shows(tokenizer, 261, TSWS_UNK, TSWS_STYLE_PRETTY, "<unk>"); /* there is a newline: this is none */
    tsws_tokenizer_close(tokenizer);
}

static void pretty_makes_unk_a_newline_where_there_is_none(void) {
    const char *const pieces[] = {"<unk>", "B", "E", " a"};
    tsws_tokenizer *tokenizer = NULL;

    write_tokenizer("pieces.bin", pieces, NULL, 4);
    if (!CHECK(tsws_tokenizer_open("pieces.bin", &tokenizer, NULL) == TSWS_OK)) {
        return;
    }
    shows(tokenizer, 3, TSWS_UNK, TSWS_STYLE_PRETTY, "\n");
    shows(tokenizer, 3, TSWS_UNK, TSWS_STYLE_LLAMA2C, "<unk>");
    shows(tokenizer, TSWS_BOS, 3, TSWS_STYLE_PRETTY, "a");
    tsws_tokenizer_close(tokenizer);
}

int main(void) {
    pieces_are_shown_as_llama2c_shows_them();
    pretty_makes_unk_a_newline_where_there_is_none();
    return check_result();
}
