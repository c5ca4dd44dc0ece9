/* SPDX-License-Identifier: Apache-2.0
 *
 * IDX reader. The header comes first and says how many bytes follow, so a gzip stream is inflated
 * in two steps: the header into a small buffer, then exactly the elements. zlib enters here only.
 */
#include "train/idx.h"

#include <string.h>
#include <zlib.h>

#include "model/base/file.h"

#define HEADER_BYTES(rank) (4 + 4 * (size_t)(rank))
#define FILE_MAX_BYTES (IDX_MAX_BYTES + HEADER_BYTES(IDX_MAX_RANK))
#define TYPE_UNSIGNED_BYTE 0x08
#define DEFLATE_MAX_RATIO 1032 /* zlib's documentation, "Maximum compression factor" */
#define INFLATE_GZIP (15 + 16) /* the largest window; a gzip wrapper is expected */

static size_t load_be32(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* Reads the header; `most` is the most bytes that the elements can have. */
static Error *parse_header(const uint8_t *header, int rank, size_t most, Idx *ret_idx,
                           size_t *ret_bytes)
{
    if (header[0] != 0 || header[1] != 0 || header[2] != TYPE_UNSIGNED_BYTE ||
        header[3] != (uint8_t)rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "not an IDX file of unsigned bytes with %d dimension%s: it begins "
                         "%02x %02x %02x %02x, which should be 00 00 08 %02x",
                         rank, rank == 1 ? "" : "s", header[0], header[1], header[2], header[3],
                         (unsigned)rank);
    Idx idx = { .rank = rank };
    size_t bytes = 1;
    bool fits = true;
    for (int i = 0; i < rank; i++) {
        idx.dims[i] = load_be32(header + 4 + 4 * i);
        fits = fits && checked_mul(bytes, idx.dims[i], &bytes);
    }
    if (!fits || bytes > IDX_MAX_BYTES)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "the IDX header promises more than the limit of %zu bytes", IDX_MAX_BYTES);
    if (bytes > most)
        return error_new(ERROR_DATA_LOSS, "the IDX file is cut off: its header promises %zu bytes",
                         bytes);
    *ret_idx = idx;
    *ret_bytes = bytes;
    return NULL;
}

static Error *decode_plain(Bytes file, int rank, Idx *ret_idx)
{
    Idx idx;
    size_t bytes = 0;
    if (file.size < HEADER_BYTES(rank))
        return error_new(ERROR_DATA_LOSS, "the IDX file is cut off: %zu bytes", file.size);
    TRY(parse_header(file.data, rank, file.size - HEADER_BYTES(rank), &idx, &bytes));
    if (bytes != file.size - HEADER_BYTES(rank))
        return error_new(ERROR_INVALID_ARGUMENT, "%zu bytes are left over behind the IDX elements",
                         file.size - HEADER_BYTES(rank) - bytes);
    idx.data = file.data + HEADER_BYTES(rank);
    *ret_idx = idx;
    return NULL;
}

/* Inflates exactly `bytes` bytes into `out`. */
static Error *inflate_exactly(z_stream *stream, uint8_t *out, size_t bytes)
{
    stream->next_out = out;
    stream->avail_out = (uInt)bytes;
    int status = Z_OK;
    while (stream->avail_out > 0 && status == Z_OK)
        status = inflate(stream, Z_NO_FLUSH);
    if (stream->avail_out == 0 && (status == Z_OK || status == Z_STREAM_END))
        return NULL;
    if (status == Z_STREAM_END || status == Z_BUF_ERROR || status == Z_OK)
        return error_new(ERROR_DATA_LOSS, "the gzip stream ends before the IDX elements do");
    return error_new(ERROR_DATA_LOSS, "the gzip stream is corrupt: %s",
                     stream->msg != NULL ? stream->msg : zError(status));
}

/* Everything is read: the stream must end here, which makes zlib check its crc and length. */
static Error *inflate_end(z_stream *stream)
{
    uint8_t extra;
    stream->next_out = &extra;
    stream->avail_out = 1;
    int status = inflate(stream, Z_FINISH);
    if (status == Z_STREAM_END && stream->avail_out == 1 && stream->avail_in == 0)
        return NULL;
    if (stream->avail_out == 0 || (status == Z_STREAM_END && stream->avail_in > 0))
        return error_new(ERROR_INVALID_ARGUMENT, "bytes are left over behind the IDX elements");
    return error_new(ERROR_DATA_LOSS, "the gzip stream is cut off or corrupt at its end%s%s",
                     stream->msg != NULL ? ": " : "", stream->msg != NULL ? stream->msg : "");
}

static Error *inflate_all(z_stream *stream, Arena *arena, size_t file_bytes, int rank, Idx *ret_idx)
{
    uint8_t header[HEADER_BYTES(IDX_MAX_RANK)];
    Idx idx;
    size_t bytes = 0;
    TRY(inflate_exactly(stream, header, HEADER_BYTES(rank)));
    TRY(parse_header(header, rank, file_bytes * DEFLATE_MAX_RATIO, &idx, &bytes));
    uint8_t *data = arena_alloc(arena, bytes);
    if (data == NULL)
        return error_out_of_memory();
    TRY(inflate_exactly(stream, data, bytes));
    TRY(inflate_end(stream));
    idx.data = data;
    *ret_idx = idx;
    return NULL;
}

static Error *decode_gzip(Arena *arena, Bytes file, int rank, Idx *ret_idx)
{
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)file.data, .avail_in = (uInt)file.size };
    if (inflateInit2(&stream, INFLATE_GZIP) != Z_OK)
        return error_out_of_memory();
    Error *error = inflate_all(&stream, arena, file.size, rank, ret_idx);
    inflateEnd(&stream);
    return error;
}

Error *idx_decode(Arena *arena, Bytes file, int rank, Idx *ret_idx)
{
    if (file.size > FILE_MAX_BYTES)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "the file has %zu bytes, more than the limit of %zu", file.size,
                         FILE_MAX_BYTES);
    if (file.size >= 2 && file.data[0] == 0x1f && file.data[1] == 0x8b)
        return decode_gzip(arena, file, rank, ret_idx);
    return decode_plain(file, rank, ret_idx);
}

Error *idx_read(Arena *arena, const char *path, int rank, Idx *ret_idx)
{
    uint8_t *data;
    size_t size;
    TRY(file_read(arena, path, FILE_MAX_BYTES, &data, &size));
    return error_prefix(idx_decode(arena, (Bytes){ data, size }, rank, ret_idx), "%s", path);
}
