/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720 appendix B.4), and the mask that
 * TensorFlow and LevelDB put over a stored one. Uses the SSE 4.2 or ARMv8 instruction where the
 * processor has it, chosen at run time, a table otherwise.
 */
#ifndef DIGIT_BASE_CRC32C_H
#define DIGIT_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The crc of what was before (0 at the start) extended by `bytes` bytes. */
uint32_t crc32c_extend(uint32_t crc, const void *data, size_t bytes);

static inline uint32_t crc32c(const void *data, size_t bytes)
{
    return crc32c_extend(0, data, bytes);
}

static inline uint32_t crc32c_mask(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static inline uint32_t crc32c_unmask(uint32_t masked)
{
    uint32_t rotated = masked - 0xa282ead8u;
    return (rotated >> 17) | (rotated << 15);
}

#endif
