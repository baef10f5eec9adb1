/* The 256 colours of a GIF, chosen for all of its frames. */
#ifndef SPUSK_PLOT_PALETTE_H
#define SPUSK_PLOT_PALETTE_H

#include <spusk/extend.h>

enum {
    SP__PALETTE_KNOWN = 1024,        /* places for the first colours, by their hash */
    SP__PALETTE_BINS = 1 << (3 * 5), /* colours by five bits of each channel */
};

typedef struct sp__palette {
    unsigned char colours[256][3];
    int n;
    bool exact;                       /* it has every colour that was seen */
    int32_t known[SP__PALETTE_KNOWN]; /* the colours while they are few, in hashed places; -1 where none is */
    unsigned char place[SP__PALETTE_KNOWN];
    struct sp__bin {
        double count, sum[3];
    } bins[SP__PALETTE_BINS];
    unsigned char nearest[SP__PALETTE_BINS];
} sp__palette;

void sp__palette_init(sp__palette *palette);
/* n pixels of 1 or 3 bytes that shall be shown. */
void sp__palette_see(sp__palette *palette, const unsigned char *pixels, int64_t n, int64_t channels);
/* When all were seen: chooses. */
sp_status sp__palette_choose(sp__palette *palette);
/* The indices of n pixels. */
void sp__palette_index(const sp__palette *palette, const unsigned char *pixels, int64_t n, int64_t channels,
                       unsigned char *indices);

#endif
