/* SPDX-License-Identifier: Apache-2.0
 *
 * digit-client: reads the pictures, asks once for all that could be read, prints in the order
 * given. Every failure is one line on standard error; the exit status is 0 when there was none,
 * 2 when the command line is wrong, 1 otherwise.
 */
#include <stdio.h>
#include <string.h>

#include "client/channel.h"
#include "client/digits.h"
#include "client/image.h"
#include "client/options.h"
#include "client/print.h"

static void complain(const Error *error)
{
    fprintf(stderr, "digit-client: %s\n", error->text);
}

/* All pictures: what could be read of them, one behind the other, and what became of each. */
typedef struct Pictures {
    size_t n, n_read;
    float *pixels;   /* [n_read,28,28] */
    Result *results; /* [n] */
    Error **errors;  /* [n]; owned; NULL for a picture that was read */
} Pictures;

static Error *pictures_read(Pictures *pictures, const FlagList *files, Arena *arena)
{
    size_t n = files->n;
    *pictures = (Pictures){
        .n = n,
        .pixels = arena_calloc(arena, n, IMAGE_PIXELS * sizeof(float)),
        .results = arena_calloc(arena, n, sizeof(Result)),
        .errors = arena_calloc(arena, n, sizeof(Error *)),
    };
    if (pictures->pixels == NULL || pictures->results == NULL || pictures->errors == NULL) {
        pictures->n = 0;
        return error_out_of_memory();
    }
    for (size_t i = 0; i < n; i++) {
        float *pixels = pictures->pixels + pictures->n_read * IMAGE_PIXELS;
        pictures->errors[i] = image_read(files->items[i], pixels);
        pictures->results[i] = (Result){ .file = files->items[i], .error = pictures->errors[i] };
        if (pictures->errors[i] == NULL)
            pictures->n_read++;
        else
            complain(pictures->errors[i]);
    }
    return NULL;
}

static void pictures_done(Pictures *pictures)
{
    for (size_t i = 0; i < pictures->n; i++)
        error_free(pictures->errors[i]);
}

/* Asks about what was read and fills the results in. `error` of the call, if there is one, stands
 * for all of them; borrowed. */
static void pictures_set(Pictures *pictures, const Digits *digits, const Error *error)
{
    size_t next = 0;
    for (size_t i = 0; i < pictures->n; i++) {
        Result *result = &pictures->results[i];
        if (result->error != NULL)
            continue;
        result->error = error;
        if (error == NULL) {
            result->digit = digits->digits[next];
            result->n_classes = digits->n_classes;
            result->probabilities = digits->probabilities != NULL
                                        ? digits->probabilities + next * digits->n_classes
                                        : NULL;
        }
        next++;
    }
}

static Error *ask(const Options *options, const Pictures *pictures, Arena *arena, Digits *ret)
{
    _cleanup_(channel_freep) Channel *channel = NULL;
    TRY(channel_new(options->host, (int)options->port, &channel));
    const Question question = { options->model, options->signature, options->timeout };
    return digits_ask(channel, &question, pictures->pixels, pictures->n_read, arena, ret);
}

static int run(const Options *options)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(64 << 10, 0);
    Pictures pictures = { 0 };
    Digits digits = { 0 };
    Error *error =
        arena != NULL ? pictures_read(&pictures, &options->images, arena) : error_out_of_memory();
    if (error == NULL && pictures.n_read > 0)
        error = ask(options, &pictures, arena, &digits);
    if (error != NULL)
        complain(error);
    pictures_set(&pictures, &digits, error);

    const PrintForm form = { options->is_json, options->is_verbose, options->images.n == 1 };
    for (size_t i = 0; i < pictures.n; i++)
        print_result(&pictures.results[i], &form, stdout);
    bool is_failed = error != NULL || pictures.n_read < pictures.n;
    pictures_done(&pictures);
    error_free(error);
    return is_failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    Options options;
    Error *error = options_parse(argc, argv, &options);
    if (error != NULL) {
        complain(error);
        error_free(error);
        return 2;
    }
    int status = 0;
    if (options.is_help)
        options_help(stdout);
    else if (options.is_version)
        printf("digit-client %s\n", DIGIT_VERSION);
    else
        status = run(&options);
    options_done(&options);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("digit-client: standard output");
        status = 1;
    }
    return status;
}
