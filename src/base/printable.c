/* Makes text of unknown origin safe for a terminal. What a file or a user wrote may hold escape sequences, which would
 * move the cursor, change colours or hide what was printed before. */
#include "base/base.h"
#include <stdio.h>
#include <string.h>

/* The length of the UTF-8 sequence that a byte begins; 0 for a byte that begins none. */
static int sequence_length(unsigned char first)
{
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4) return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Reads one character; returns its length in bytes, 0 where the bytes are no UTF-8 (cut short, overlong, a surrogate,
 * above U+10FFFF). */
static int read_character(const unsigned char *text, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int n = sequence_length(text[0]);
    *code = n < 2 ? text[0] : text[0] & (0x7fu >> n);
    for (int i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0;
        *code = *code << 6 | (text[i] & 0x3fu);
    }
    const bool surrogate = *code >= 0xd800 && *code < 0xe000;
    return n > 0 && *code >= least[n] && *code <= 0x10ffff && !surrogate ? n : 0;
}

/* Controls (C0, DEL, C1), separators of lines, and marks that turn the direction of writing. */
static bool is_unsafe(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* Writes the next character, or its escape, as a string; returns the bytes read. */
static int next_piece(const unsigned char *text, char piece[8])
{
    uint32_t code = 0;
    int n = read_character(text, &code);
    if (n == 0 || (code < 0x80 && is_unsafe(code)))
        snprintf(piece, 8, "\\x%02x", text[0]);
    else if (is_unsafe(code))
        snprintf(piece, 8, "\\u%04x", (unsigned)code & 0xffff);
    else
        snprintf(piece, 8, "%.*s", n, (const char *)text);
    return n > 0 ? n : 1;
}

bool sp_is_utf8(const char *text)
{
    uint32_t code = 0;
    if (!text) return sp_raise_null("sp_is_utf8", "text"), false;
    const unsigned char *next = (const unsigned char *)text;
    for (int n = 1; *next; next += n) {
        n = read_character(next, &code);
        if (n == 0) return false;
    }
    return true;
}

size_t sp_printable(const char *text, char *buffer, size_t size)
{
    size_t length = 0, written = 0;
    char piece[8];
    if (!buffer) size = 0;
    for (const unsigned char *next = (const unsigned char *)text; next && *next;) {
        next += next_piece(next, piece);
        size_t n = strlen(piece);
        /* What does not fit is left out whole: half a character would not be safe. */
        if (written == length && length + n < size) {
            memcpy(buffer + length, piece, n);
            written += n;
        }
        length += n;
    }
    if (size > 0) buffer[written] = '\0';
    return length;
}
