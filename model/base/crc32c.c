/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32C: eight bytes a step, by the processor's instruction where it has one, else by eight
 * tables ("slicing by eight": M. Kounavis, F. Berry, "A systematic approach to building high
 * performance software-based CRC generators", 2005).
 */
#include "model/base/crc32c.h"

#include <pthread.h>
#include <string.h>

#include "model/base/bytes.h"

#define POLYNOMIAL 0x82F63B78u /* bits reflected */

/* table[k][b]: the crc of byte b with k zero bytes behind it. */
static uint32_t table[8][256];

static void table_fill(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        table[0][b] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (int b = 0; b < 256; b++)
            table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 0xff];
}

/* This and its siblings below take and give the crc with all bits inverted. */
static uint32_t extend_by_table(uint32_t crc, const uint8_t *p, size_t bytes)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, table_fill);

    for (; bytes >= 8; p += 8, bytes -= 8) {
        uint32_t low = load_le32(p) ^ crc, high = load_le32(p + 4);
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^
              table[4][low >> 24] ^ table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
              table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
    }
    for (; bytes > 0; p++, bytes--)
        crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
    return crc;
}

#if defined(__x86_64__)

#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t extend_by_hardware(uint32_t crc, const uint8_t *p,
                                                                     size_t bytes)
{
    uint64_t wide = crc;
    for (; bytes >= 8; p += 8, bytes -= 8)
        wide = _mm_crc32_u64(wide, load_le64(p));
    crc = (uint32_t)wide;
    for (; bytes > 0; p++, bytes--)
        crc = _mm_crc32_u8(crc, *p);
    return crc;
}

static int has_hardware(void)
{
    return __builtin_cpu_supports("sse4.2");
}

#elif defined(__aarch64__) && defined(__linux__)

#include <asm/hwcap.h>
#include <sys/auxv.h>

/* Assembly, since compilers disagree on how a function asks for an extension. */
static uint32_t extend_by_hardware(uint32_t crc, const uint8_t *p, size_t bytes)
{
    for (; bytes >= 8; p += 8, bytes -= 8)
        __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(load_le64(p)));
    for (; bytes > 0; p++, bytes--)
        __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"(*p));
    return crc;
}

static int has_hardware(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}

#else

static uint32_t extend_by_hardware(uint32_t crc, const uint8_t *p, size_t bytes)
{
    return extend_by_table(crc, p, bytes);
}

static int has_hardware(void)
{
    return 0;
}

#endif

uint32_t crc32c_extend(uint32_t crc, const void *data, size_t bytes)
{
    return has_hardware() ? ~extend_by_hardware(~crc, data, bytes)
                          : ~extend_by_table(~crc, data, bytes);
}
