#define HC_AS_WRITTEN
#include "core.h"

#if HC_X86
#define KERNEL hc_avx2_x4
#define TARGET __attribute__((target("avx2")))
#define VEC __m256i
#define LOAD(p, i) _mm256_load_si256((const __m256i *)((p) + 4 * (i)))
#define STORE(p, i, x) _mm256_store_si256((__m256i *)((p) + 4 * (i)), x)
#define ALL(word) _mm256_set1_epi64x((long long)(word))
#define ADD(x, y) _mm256_add_epi64(x, y)
#define XOR(x, y) _mm256_xor_si256(x, y)
#define SHR(x, n) _mm256_srli_epi64(x, n)
#define ROR(x, n) XOR(SHR(x, n), _mm256_slli_epi64(x, 64 - (n)))
/* A rotation by whole bytes is one shuffle. */
#define ROR8(x)                                                                                                        \
  _mm256_shuffle_epi8(x, _mm256_set_epi64x(0x080f0e0d0c0b0a09, 0x0007060504030201, 0x080f0e0d0c0b0a09,                 \
                                           0x0007060504030201))
#define XOR3(x, y, z) XOR(XOR(x, y), z)
#define CHOOSE(x, y, z) XOR(z, _mm256_and_si256(x, XOR(y, z)))
#define MAJORITY(x, y, z) XOR(_mm256_and_si256(x, y), _mm256_and_si256(z, XOR(x, y)))
#define ORDER(x) (void)0
#include "lanes.h"
#endif
