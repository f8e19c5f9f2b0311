#include "core.h"

#if HC_X86
#define KERNEL hc_chain_avx512vl
#define TARGET __attribute__((target("avx512f,avx512vl,bmi,bmi2")))
#define XOR3(x, y, z) _mm_ternarylogic_epi64(x, y, z, 0x96)
#define SMALL_SIGMA0(x) XOR3(_mm_ror_epi64(x, 1), _mm_ror_epi64(x, 8), _mm_srli_epi64(x, 7))
#define SMALL_SIGMA1(x) XOR3(_mm_ror_epi64(x, 19), _mm_ror_epi64(x, 61), _mm_srli_epi64(x, 6))
#include "chain-plain.h"
#endif
