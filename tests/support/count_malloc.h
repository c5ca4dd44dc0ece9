/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts what a test allocates: the program is linked with --wrap for each of these functions, so
 * that the library's calls come here first. See count_malloc_dep in tests/unit/meson.build.
 */
#ifndef DIGIT_TESTS_SUPPORT_COUNT_MALLOC_H
#define DIGIT_TESTS_SUPPORT_COUNT_MALLOC_H

/* Calls of malloc, calloc, realloc, posix_memalign and mmap so far, by any thread. */
long count_malloc(void);

#endif
