/* From tokens to what people see. */
#include "tokenizer.h"

#include <string.h>

/* A text of one byte for every byte: what byte pieces are shown as. */
#define BYTES_8(n)   (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7
#define BYTES_32(n)  BYTES_8(n), BYTES_8((n) + 8), BYTES_8((n) + 16), BYTES_8((n) + 24)
#define BYTES_128(n) BYTES_32(n), BYTES_32((n) + 32), BYTES_32((n) + 64), BYTES_32((n) + 96)
static const unsigned char every_byte[256] = {BYTES_128(0), BYTES_128(128)};

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

/* The byte that a piece like <0x0A> stands for, or -1. llama2.c reads two digits at most and looks no further. */
static int byte_of_piece(tsws_piece piece) {
    int value;

    if (piece.length < 4 || memcmp(piece.text, "<0x", 3) != 0) {
        return -1;
    }
    value = hex_digit(piece.text[3]);
    if (value >= 0 && piece.length > 4 && hex_digit(piece.text[4]) >= 0) {
        value = value * 16 + hex_digit(piece.text[4]);
    }
    return value;
}

/* In ASCII, whatever the locale. */
static bool is_printable_or_space(unsigned char byte) {
    return (byte >= ' ' && byte <= '~') || (byte >= '\t' && byte <= '\r');
}

tsws_piece tsws_tokenizer_decode(const tsws_tokenizer *tokenizer, int32_t previous, int32_t token, tsws_style style) {
    const tsws_piece nothing = {"", 0};
    tsws_piece piece;
    int byte;

    if (token < 0 || token >= tokenizer->vocab_size) {
        return nothing;
    }
    if (style == TSWS_STYLE_PRETTY && token == TSWS_UNK && !tokenizer->has_newline) {
        return (tsws_piece){"\n", 1};
    }
    piece = tsws_tokenizer_raw(tokenizer, token);
    if (previous == TSWS_BOS && piece.length > 0 && piece.text[0] == ' ') {
        piece.text++;
        piece.length--;
    }
    byte = byte_of_piece(piece);
    if (byte >= 0) {
        piece = (tsws_piece){(const char *)&every_byte[byte], 1};
    }
    if (piece.length == 1 && !is_printable_or_space((unsigned char)piece.text[0])) {
        return nothing;
    }
    return piece;
}
