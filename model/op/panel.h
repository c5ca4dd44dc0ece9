/* SPDX-License-Identifier: Apache-2.0
 *
 * Panel: weights packed in columns of 32, and the tile that multiplies a few rows by them.
 *
 * This is the inner loop of both the convolution and the dense layer. A matrix b [K,N] is cut into
 * ceil(N / 32) panels, each [K,32], the last one padded with zeros:
 *
 *     panel 0: b[0][0..31] b[1][0..31] ... b[K-1][0..31]   panel 1: b[0][32..63] ...
 *
 * A tile holds rows x 32 sums in registers while k runs, so that each weight is read once for all
 * of its rows. The K values of a row need not lie together: they come as lines of runs, which is
 * how a convolution's window lies in an image (a line for each row of the filter).
 *
 * There is one form for each kind of vector unit; all sum over k in rising order, one product
 * after the other, so a row's result does not depend on how many rows share its tile.
 */
#ifndef DIGIT_OP_PANEL_H
#define DIGIT_OP_PANEL_H

#include <stdbool.h>
#include <stddef.h>

#define PANEL_COLUMNS 32
#define PANEL_SLACK 32    /* floats behind the last panel that a tile may read, but never uses */
#define PANEL_MAX_ROWS 14 /* of the largest form */

typedef enum PanelStore {
    PANEL_STORE,      /* row r to c + r * c_stride */
    PANEL_POOL_FIRST, /* the larger of rows 2i and 2i + 1 to c + i * c_stride; rows is even */
    PANEL_POOL_NEXT,  /* the largest of these two and of what is there already */
} PanelStore;

typedef struct PanelTile {
    const float *a;     /* value k of row r is a[r * a_stride + line * line_stride +
                         * run * run_stride + i], k = (line * n_runs + run) * run_length + i */
    ptrdiff_t a_stride; /* strides in floats */
    ptrdiff_t line_stride, run_stride;
    int n_lines, n_runs;
    size_t run_length;
    int rows;             /* 1..max_rows of the form */
    int columns;          /* 1..32 */
    const float *weights; /* [K,32] */
    const float *start;   /* [32] what the sums start from (the bias); NULL: from `c` itself */
    float low, high;      /* each sum is clamped to [low, high] before it is stored; NaN stays NaN,
                           * except that pooling ignores it, as TensorFlow's MaxPool does */
    PanelStore store;
    float *c; /* [rows, columns] */
    ptrdiff_t c_stride;
} PanelTile;

typedef struct PanelForm {
    const char *name;
    int max_rows;      /* even */
    int max_wide_rows; /* up to so many rows, `wide` is faster than one tile a panel */
    bool (*is_supported)(void);
    void (*tile)(const PanelTile *tile);
    /* PANEL_WIDE whole panels at once, `panel_stride` floats apart: few rows alone have too few
     * independent sums to keep the multipliers busy. One run; start and c run on through the
     * panels; rows 1..max_wide_rows; PANEL_STORE. NULL when max_wide_rows is 0. */
    void (*wide)(const PanelTile *tile, size_t panel_stride);
} PanelForm;

#define PANEL_WIDE 4

/* The fastest form that this processor runs. Thread-safe. */
const PanelForm *panel_form(void);

/* The i-th form that this processor runs, the portable one first; NULL behind the last. */
const PanelForm *panel_form_at(size_t i);

/* The forms; each is the whole of one file. */
extern const PanelForm panel_plain;
#if defined(__x86_64__)
extern const PanelForm panel_avx2;
extern const PanelForm panel_avx512;
#endif

/* The number of panels of n columns, and of floats that panel_pack writes for [k,n], PANEL_SLACK
 * included; 0 when the number does not fit in memory. */
size_t panel_count(size_t n);
size_t panel_floats(size_t k, size_t n);

/* Packs b [k,n], row i at b + i * ldb (transposed: b is [n,k]), into `panels`. */
void panel_pack(const float *b, size_t ldb, bool transposed, size_t k, size_t n, float *panels);

/* What is in the tile's `c` is added to its sums: c += start, and the sums start from c. */
void panel_add_to_c(PanelTile *tile);

#endif
