#define HC_AS_WRITTEN
#include "core.h"

#if HC_X86
/*
 * A single chain, its two halves worked on at once: e to h in general registers, a to d in vectors. AMD's processors
 * have execution units of their own for each. What the halves tell each other has four rounds to arrive: T1 goes through
 * memory, a comes back by a move.
 */
#define KERNEL hc_chain_split
#define TARGET __attribute__((target("avx512f,avx512vl,bmi,bmi2")))
#define XOR3(x, y, z) _mm_ternarylogic_epi64(x, y, z, 0x96)
#define SMALL_SIGMA0(x) XOR3(_mm_ror_epi64(x, 1), _mm_ror_epi64(x, 8), _mm_srli_epi64(x, 7))
#define SMALL_SIGMA1(x) XOR3(_mm_ror_epi64(x, 19), _mm_ror_epi64(x, 61), _mm_srli_epi64(x, 6))

#define ROTR(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
#define BIG_SIGMA0(x) XOR3(_mm_ror_epi64(x, 28), _mm_ror_epi64(x, 34), _mm_ror_epi64(x, 39))
#define BIG_SIGMA1(x) (ROTR(x, 14) ^ ROTR(x, 18) ^ ROTR(x, 41))
#define MAJORITY(x, y, z) _mm_ternarylogic_epi64(x, y, z, 0xe8)

/* a to d in vectors, the same four in general registers, and e to h: see S in lanes.h. */
#define V(i, t) vectors[((i) - (t)) & 3]
#define A(i, t) copies[((i) - (t)) & 3]
#define E(i, t) s[((i) - (t)) & 3]
#define STATE                                                                                                          \
  __m128i vectors[4];                                                                                                  \
  uint64_t copies[4], s[4]
#define BEGIN(a, e)                                                                                                    \
  do {                                                                                                                 \
    for (int i = 0; i < 4; i++) E(i, 0) = constants->initial[4 + i];                                                   \
    for (int i = 0; i < 4; i++) A(i, 0) = constants->initial[i];                                                       \
    E(0, 1) = e;                                                                                                       \
    A(0, 1) = a;                                                                                                       \
    for (int i = 0; i < 4; i++) V(i, 1) = _mm_cvtsi64_si128((long long)A(i, 1));                                       \
  } while (0)
#define H(t) E(3, t)
/* d + T1 is added up from both ends: one addition more, but one less on the way from e to e. */
#define ROUND(t, sum)                                                                                                  \
  do {                                                                                                                 \
    uint64_t t1 = sum;                                                                                              \
    HC_HIDE(t1);                                                                                                       \
    t1 += ((E(1, t) ^ E(2, t)) & E(0, t)) ^ E(2, t);                                                                   \
    HC_HIDE(t1);                                                                                                       \
    uint64_t sigma1 = BIG_SIGMA1(E(0, t));                                                                             \
    HC_HIDE(sigma1);                                                                                                   \
    E(3, t) = A(3, t) + t1;                                                                                            \
    HC_HIDE(E(3, t));                                                                                                  \
    E(3, t) += sigma1;                                                                                                 \
    HC_HIDE(E(3, t));                                                                                                  \
    t1 += sigma1;                                                                                                      \
    __m128i t2 = MAJORITY(V(0, t), V(1, t), V(2, t));                                                                  \
    t2 = _mm_add_epi64(t2, through_memory(t1));                                                                        \
    __asm__("" : "+v"(t2));                                                                                            \
    V(3, t) = _mm_add_epi64(t2, BIG_SIGMA0(V(0, t)));                                                                  \
    __asm__("" : "+v"(V(3, t)));                                                                                       \
    A(3, t) = (uint64_t)_mm_cvtsi128_si64(V(3, t));                                                                    \
  } while (0)
#define END                                                                                                            \
  for (int i = 0; i < 4; i++) {                                                                                        \
    digest[i] = A(i, 80) + constants->initial[i];                                                                      \
    digest[4 + i] = E(i, 80) + constants->initial[4 + i];                                                              \
  }

static inline __attribute__((always_inline, target("avx512f,avx512vl"))) __m128i through_memory(uint64_t word) {
  __asm__("" : "+m"(word)); /* Otherwise the compiler takes a move, which competes with the vectors' instructions. */
  return _mm_loadl_epi64((const __m128i *)&word);
}

#include "chain.h"
#endif
