#include "core.h"

#if HC_X86
/*
 * A single chain where there is no AVX-512: rounds in general registers, the message schedule two words at a time in
 * vectors. The rounds alone keep the units for general registers busy: Zen 3 has four of them, and takes in six
 * instructions a cycle. So the schedule's instructions stand between those of the rounds, two at a time, and all stay
 * in the order written. Where compilers put together what belongs together, an iteration takes a tenth longer.
 */
#define INSTRUCTIONS "avx2,bmi,bmi2"
#define TARGET __attribute__((target(INSTRUCTIONS)))
#define INLINE static inline __attribute__((always_inline, target(INSTRUCTIONS)))

/* Assignments that stay where they are written: to general registers ("r"), vectors ("x") and memory ("m"). */
#define SET_AS(kind, x, value) do { (x) = (value); __asm__ volatile("" : "+" kind(x)); } while (0)
#define SET(x, value) SET_AS("r", x, value)
#define SET_PAIR(x, value) SET_AS("x", x, value)
#define SET_MEMORY(x, value) SET_AS("m", x, value)

/* Two words. In one step a compiler would go by way of memory, where the first word would wait for the second. */
INLINE __m128i pair(uint64_t low, uint64_t high) {
  __m128i x;
  SET_PAIR(x, _mm_cvtsi64_si128((long long)low));
  return _mm_insert_epi64(x, (long long)high, 1);
}

/* The last word of one pair and the first of the next. */
#define ACROSS(x, y) _mm_alignr_epi8(y, x, 8)
#define ADD(x, y) _mm_add_epi64(x, y)
#define XOR(x, y) _mm_xor_si128(x, y)
#define SHL(x, n) _mm_slli_epi64(x, n)
#define SHR(x, n) _mm_srli_epi64(x, n)
/* A rotation by whole bytes is one shuffle. */
#define ROR8(x) _mm_shuffle_epi8(x, _mm_set_epi64x(0x080f0e0d0c0b0a09, 0x0007060504030201))

/* The schedule's last 16 words, two and two, and what is on the way to the next two. */
struct schedule {
  __m128i w[8], x, y;
};

/* Words t and t + 1 take the place of those 16 before, in 12 steps; with K added they go to memory, for the rounds. */
INLINE void make_next(struct schedule *schedule, uint64_t *sums, const uint64_t *k, const int t, const int step) {
  __m128i *const w = schedule->w, *const to = (__m128i *)(sums + t);
#define W(i) w[(t / 2 + (i)) & 7]
#define X schedule->x
#define Y schedule->y
  switch (step) {
  case 0: SET_PAIR(X, ACROSS(W(0), W(1))); SET_PAIR(Y, SHL(X, 63)); break;
  case 1: SET_PAIR(Y, XOR(Y, SHR(X, 1))); break;
  case 2: SET_PAIR(Y, XOR(Y, ROR8(X))); break;
  case 3: SET_PAIR(Y, XOR(Y, SHR(X, 7))); break;
  case 4: SET_PAIR(W(0), ADD(W(0), Y)); SET_PAIR(X, ACROSS(W(4), W(5))); break;
  case 5: SET_PAIR(W(0), ADD(W(0), X)); SET_PAIR(Y, SHL(W(7), 3)); break;
  case 6: SET_PAIR(Y, XOR(Y, SHR(W(7), 61))); break;
  case 7: SET_PAIR(Y, XOR(Y, SHL(W(7), 45))); break;
  case 8: SET_PAIR(Y, XOR(Y, SHR(W(7), 19))); break;
  case 9: SET_PAIR(Y, XOR(Y, SHR(W(7), 6))); break;
  case 10: SET_PAIR(W(0), ADD(W(0), Y)); SET_PAIR(X, ADD(W(0), _mm_load_si128((const __m128i *)(k + t)))); break;
  case 11: SET_MEMORY(*to, X); break;
  }
}
/* Six of these steps beside a round, the other six beside the next. */
#define NEXT(t, part) make_next(&schedule, sums, k, (t) & 14, ((t) & 1) * 6 + (part))
#define NOTHING(t, part) (void)0

/* Working variable i (0 = a … 7 = h) in round t: they stay where they are, and change their names from round to round. */
#define S(i, t) s[((i) - (t)) & 7]
#define ROTR(x, n) (((x) >> (n)) | ((x) << (64 - (n))))

/*
 * Round t, where `sum` is h + K + W, with BESIDE in between. b_c is b ^ c, which was a ^ b one round before: with it,
 * majority(a, b, c) = b ^ ((a ^ b) & (b ^ c)).
 */
#define ROUND(t, sum, BESIDE)                                                                                          \
  do {                                                                                                                 \
    uint64_t x, y, choice, a_b;                                                                                        \
    SET(S(7, t), sum);                                                                                                 \
    SET(choice, S(5, t) ^ S(6, t));                                                                                    \
    SET(x, ROTR(S(4, t), 14));                                                                                         \
    BESIDE(t, 0);                                                                                                      \
    SET(y, ROTR(S(4, t), 18));                                                                                         \
    SET(choice, choice & S(4, t));                                                                                     \
    SET(x, x ^ y);                                                                                                     \
    BESIDE(t, 1);                                                                                                      \
    SET(y, ROTR(S(4, t), 41));                                                                                         \
    SET(choice, choice ^ S(6, t));                                                                                     \
    SET(S(7, t), S(7, t) + choice);                                                                                    \
    SET(x, x ^ y);                                                                                                     \
    BESIDE(t, 2);                                                                                                      \
    SET(S(7, t), S(7, t) + x);                                                                                         \
    SET(S(3, t), S(3, t) + S(7, t));                                                                                   \
    SET(x, ROTR(S(0, t), 28));                                                                                         \
    SET(y, ROTR(S(0, t), 34));                                                                                         \
    BESIDE(t, 3);                                                                                                      \
    SET(a_b, S(0, t) ^ S(1, t));                                                                                       \
    SET(x, x ^ y);                                                                                                     \
    SET(y, ROTR(S(0, t), 39));                                                                                         \
    BESIDE(t, 4);                                                                                                      \
    SET(b_c, b_c & a_b);                                                                                               \
    SET(b_c, b_c ^ S(1, t));                                                                                           \
    SET(x, x ^ y);                                                                                                     \
    BESIDE(t, 5);                                                                                                      \
    SET(S(7, t), S(7, t) + b_c);                                                                                       \
    SET(S(7, t), S(7, t) + x);                                                                                         \
    b_c = a_b;                                                                                                         \
  } while (0)

#define FOUR_ROUNDS(t, BESIDE)                                                                                         \
  do {                                                                                                                 \
    ROUND(t, S(7, t) + sums[t], BESIDE);                                                                               \
    ROUND((t) + 1, S(7, (t) + 1) + sums[(t) + 1], BESIDE);                                                             \
    ROUND((t) + 2, S(7, (t) + 2) + sums[(t) + 2], BESIDE);                                                             \
    ROUND((t) + 3, S(7, (t) + 3) + sums[(t) + 3], BESIDE);                                                             \
  } while (0)

TARGET void hc_chain_avx2(uint64_t *words, uint64_t steps) {
  const struct hc_constants *constants = &hc_constants;
  _Alignas(16) uint64_t sums[16];
  uint64_t digest[8];
  for (int i = 0; i < 8; i++) digest[i] = words[i];

  for (; steps > 0; steps--) {
    HC_HIDE(constants);
    const uint64_t *k = constants->rounds + 16; /* of the words that are made now */
    struct schedule schedule;
    for (int i = 0; i < 4; i++) schedule.w[i] = pair(digest[2 * i], digest[2 * i + 1]);
    schedule.w[4] = _mm_loadl_epi64((const __m128i *)&constants->padding);
    schedule.w[5] = schedule.w[6] = _mm_setzero_si128();
    schedule.w[7] = _mm_slli_si128(_mm_loadl_epi64((const __m128i *)&constants->length), 8);

    uint64_t s[8], b_c;
    for (int i = 0; i < 7; i++) S(i, 0) = constants->initial[i];
    b_c = S(0, 0) ^ S(1, 0);
    S(0, 1) = digest[0] + constants->first_a;
    S(4, 1) = digest[0] + constants->first_e;
    NEXT(0, 0); NEXT(0, 1); NEXT(0, 2); NEXT(0, 3); NEXT(0, 4); NEXT(0, 5);
    ROUND(1, digest[1] + k[1 - 16], NEXT); /* h is part of K in rounds 1 to 3 */
    ROUND(2, digest[2] + k[2 - 16], NEXT);
    ROUND(3, digest[3] + k[3 - 16], NEXT);
    ROUND(4, S(7, 4) + (digest[4] + k[4 - 16]), NEXT);
    ROUND(5, S(7, 5) + (digest[5] + k[5 - 16]), NEXT);
    ROUND(6, S(7, 6) + (digest[6] + k[6 - 16]), NEXT);
    ROUND(7, S(7, 7) + (digest[7] + k[7 - 16]), NEXT);
    ROUND(8, S(7, 8) + k[8 - 16], NEXT);
    ROUND(9, S(7, 9) + k[9 - 16], NEXT);
    ROUND(10, S(7, 10) + k[10 - 16], NEXT);
    ROUND(11, S(7, 11) + k[11 - 16], NEXT);
    ROUND(12, S(7, 12) + k[12 - 16], NEXT);
    ROUND(13, S(7, 13) + k[13 - 16], NEXT);
    ROUND(14, S(7, 14) + k[14 - 16], NEXT);
    ROUND(15, S(7, 15) + k[15 - 16], NEXT);
    for (k += 16; k < constants->rounds + 80; k += 16) {
      FOUR_ROUNDS(0, NEXT);
      FOUR_ROUNDS(4, NEXT);
      FOUR_ROUNDS(8, NEXT);
      FOUR_ROUNDS(12, NEXT);
    }
    FOUR_ROUNDS(0, NOTHING);
    FOUR_ROUNDS(4, NOTHING);
    FOUR_ROUNDS(8, NOTHING);
    FOUR_ROUNDS(12, NOTHING);
    for (int i = 0; i < 8; i++) SET(digest[i], S(i, 80) + constants->initial[i]);
  }
  for (int i = 0; i < 8; i++) words[i] = digest[i];
}
#endif
