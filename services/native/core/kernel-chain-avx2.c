#include "core.h"

#if HC_X86
#define KERNEL hc_chain_avx2
#define TARGET __attribute__((target("avx2,bmi,bmi2")))
#define XOR(x, y) _mm_xor_si128(x, y)
#define ROR(x, n) XOR(_mm_srli_epi64(x, n), _mm_slli_epi64(x, 64 - (n)))
/* A rotation by whole bytes is one shuffle. */
#define ROR8(x) _mm_shuffle_epi8(x, _mm_set_epi64x(0x080f0e0d0c0b0a09, 0x0007060504030201))
#define SMALL_SIGMA0(x) XOR(XOR(ROR(x, 1), ROR8(x)), _mm_srli_epi64(x, 7))
#define SMALL_SIGMA1(x) XOR(XOR(ROR(x, 19), ROR(x, 61)), _mm_srli_epi64(x, 6))
#include "chain-plain.h"
#endif
