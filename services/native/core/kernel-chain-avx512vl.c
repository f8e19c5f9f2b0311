#include "core.h"

#if HC_X86
/* A single chain with its working variables in general registers. */
#define KERNEL hc_chain_avx512vl
#define TARGET __attribute__((target("avx512f,avx512vl,bmi,bmi2")))
#define XOR3(x, y, z) _mm_ternarylogic_epi64(x, y, z, 0x96)
#define SMALL_SIGMA0(x) XOR3(_mm_ror_epi64(x, 1), _mm_ror_epi64(x, 8), _mm_srli_epi64(x, 7))
#define SMALL_SIGMA1(x) XOR3(_mm_ror_epi64(x, 19), _mm_ror_epi64(x, 61), _mm_srli_epi64(x, 6))

#define ROTR(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
#define BIG_SIGMA0(x) (ROTR(x, 28) ^ ROTR(x, 34) ^ ROTR(x, 39))
#define BIG_SIGMA1(x) (ROTR(x, 14) ^ ROTR(x, 18) ^ ROTR(x, 41))

/* Working variable i (0 = a … 7 = h) in round t: they stay where they are, and change their names from round to round. */
#define S(i, t) s[((i) - (t)) & 7]

/* b_c is b ^ c, which was a ^ b one round before: with it, majority(a, b, c) = b ^ ((a ^ b) & (b ^ c)). */
#define STATE uint64_t s[8], b_c
#define BEGIN(a, e)                                                                                                    \
  do {                                                                                                                 \
    for (int i = 0; i < 7; i++) S(i, 0) = constants->initial[i];                                                       \
    b_c = S(0, 0) ^ S(1, 0);                                                                                           \
    S(0, 1) = a;                                                                                                       \
    S(4, 1) = e;                                                                                                       \
  } while (0)
#define H(t) S(7, t)
#define ROUND(t, sum)                                                                                                  \
  do {                                                                                                                 \
    uint64_t t1 = sum;                                                                                                 \
    t1 += ((S(5, t) ^ S(6, t)) & S(4, t)) ^ S(6, t);                                                                   \
    const uint64_t a_b = S(0, t) ^ S(1, t);                                                                            \
    t1 += BIG_SIGMA1(S(4, t));                                                                                         \
    S(3, t) += t1;                                                                                                     \
    b_c = (b_c & a_b) ^ S(1, t);                                                                                       \
    S(7, t) = t1 + BIG_SIGMA0(S(0, t)) + b_c;                                                                          \
    b_c = a_b;                                                                                                         \
  } while (0)
/* Hidden: a compiler that adds in vectors here would have to take the words out again at once. */
#define END                                                                                                            \
  for (int i = 0; i < 8; i++) {                                                                                        \
    uint64_t word = S(i, 80) + constants->initial[i];                                                                  \
    HC_HIDE(word);                                                                                                     \
    digest[i] = word;                                                                                                  \
  }

#include "chain.h"
#endif
