#define HC_AS_WRITTEN
#include "core.h"

#if HC_X86
#define KERNEL hc_avx512vl_x4
#define TARGET __attribute__((target("avx512f,avx512vl")))
#define VEC __m256i
#define LOAD(p, i) _mm256_load_si256((const __m256i *)((p) + 4 * (i)))
#define STORE(p, i, x) _mm256_store_si256((__m256i *)((p) + 4 * (i)), x)
#define ALL(word) _mm256_set1_epi64x((long long)(word))
#define ADD(x, y) _mm256_add_epi64(x, y)
#define ROR(x, n) _mm256_ror_epi64(x, n)
#define ROR8(x) ROR(x, 8)
#define SHR(x, n) _mm256_srli_epi64(x, n)
#define XOR3(x, y, z) _mm256_ternarylogic_epi64(x, y, z, 0x96)
#define CHOOSE(x, y, z) _mm256_ternarylogic_epi64(x, y, z, 0xca)
#define MAJORITY(x, y, z) _mm256_ternarylogic_epi64(x, y, z, 0xe8)
#define ORDER(x) __asm__("" : "+v"(x))
#include "lanes.h"
#endif
