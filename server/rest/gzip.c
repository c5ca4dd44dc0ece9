/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip over zlib. A file may be several, one after the other. zlib counts in unsigned ints, so what is
 * larger goes through it in pieces.
 */
#include "server/rest/gzip.h"

#include <zlib.h>

#define WINDOW_BITS (15 + 16) /* the largest window, in gzip's wrapping */
#define MEMORY_LEVEL 8        /* zlib's default */
#define LEVEL 1
#define STEP_BYTES (64 * 1024) /* room that is made before each step */
#define PIECE_BYTES ((size_t)1 << 30)

/* Hands zlib the next piece of what is left. */
static void feed(z_stream *stream, Bytes *rest)
{
    if (stream->avail_in > 0)
        return;
    size_t piece = rest->size < PIECE_BYTES ? rest->size : PIECE_BYTES;
    stream->next_in = (Bytef *)(uintptr_t)rest->data;
    stream->avail_in = (uInt)piece;
    *rest = (Bytes){ rest->data + piece, rest->size - piece };
}

/* Room behind what is there: all that the maximum leaves, up to a step. */
static Error *make_room(z_stream *stream, Buf *buf)
{
    size_t room = buf->max_bytes - buf->size;
    if (room > STEP_BYTES)
        room = STEP_BYTES;
    TRY(buf_reserve(buf, room > 0 ? room : 1));
    stream->next_out = buf->data + buf->size;
    stream->avail_out = (uInt)room;
    return NULL;
}

static Error *no_gzip(const char *what)
{
    return error_new(ERROR_INVALID_ARGUMENT, "the request's body is no gzip file: %s", what);
}

/* One step; `*done` when the last file has ended. */
static Error *inflate_step(z_stream *stream, Bytes *rest, Buf *buf, bool *done)
{
    feed(stream, rest);
    TRY(make_room(stream, buf));
    uInt room = stream->avail_out;
    int status = inflate(stream, Z_NO_FLUSH);
    buf->size += room - stream->avail_out;
    if (status == Z_MEM_ERROR)
        return error_out_of_memory();
    if (status == Z_STREAM_END) {
        *done = stream->avail_in == 0 && rest->size == 0;
        return *done || inflateReset(stream) == Z_OK ? NULL : no_gzip("it cannot be read on");
    }
    if (status != Z_OK && status != Z_BUF_ERROR)
        return no_gzip(stream->msg != NULL ? stream->msg : "it is damaged");
    if (status == Z_BUF_ERROR && stream->avail_in == 0 && rest->size == 0)
        return no_gzip("it is cut off");
    return NULL;
}

Error *gzip_read(Bytes from, Buf *buf)
{
    z_stream stream = { 0 };
    Bytes rest = from;
    bool done = false;
    Error *error = NULL;
    if (inflateInit2(&stream, WINDOW_BITS) != Z_OK)
        return error_out_of_memory();
    while (!done && error == NULL)
        error = inflate_step(&stream, &rest, buf, &done);
    inflateEnd(&stream);
    return error;
}

static Error *deflate_step(z_stream *stream, Bytes *rest, Buf *buf, bool *done)
{
    feed(stream, rest);
    TRY(make_room(stream, buf));
    uInt room = stream->avail_out;
    int status = deflate(stream, rest->size == 0 ? Z_FINISH : Z_NO_FLUSH);
    buf->size += room - stream->avail_out;
    *done = status == Z_STREAM_END;
    return NULL;
}

Error *gzip_write(Bytes from, Buf *buf)
{
    z_stream stream = { 0 };
    Bytes rest = from;
    bool done = false;
    Error *error = NULL;
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return error_out_of_memory();
    while (!done && error == NULL)
        error = deflate_step(&stream, &rest, buf, &done);
    deflateEnd(&stream);
    return error;
}
