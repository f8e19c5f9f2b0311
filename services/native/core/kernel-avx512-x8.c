#define HC_AS_WRITTEN
#include "core.h"

#if HC_X86
#define KERNEL hc_avx512_x8
#define TARGET __attribute__((target("avx512f")))
#define VEC __m512i
#define LOAD(p, i) _mm512_load_si512((p) + 8 * (i))
#define STORE(p, i, x) _mm512_store_si512((p) + 8 * (i), x)
#define ALL(word) _mm512_set1_epi64((long long)(word))
#define ADD(x, y) _mm512_add_epi64(x, y)
#define ROR(x, n) _mm512_ror_epi64(x, n)
#define ROR8(x) ROR(x, 8)
#define SHR(x, n) _mm512_srli_epi64(x, n)
#define XOR3(x, y, z) _mm512_ternarylogic_epi64(x, y, z, 0x96)
#define CHOOSE(x, y, z) _mm512_ternarylogic_epi64(x, y, z, 0xca)
#define MAJORITY(x, y, z) _mm512_ternarylogic_epi64(x, y, z, 0xe8)
#define ORDER(x) (void)0
#include "lanes.h"
#endif
