/*
 * SHA-512 of 64-byte messages for a single chain: rounds one after the other, the message schedule two words at a time
 * in vectors beside them. A kernel defines
 *   KERNEL, TARGET                          its name, and the attribute that lets the compiler use its instructions
 *   SMALL_SIGMA0(x), SMALL_SIGMA1(x)        of two words, in an __m128i
 *   STATE, BEGIN(a, e), END                 the working variables; what sets them after round 0, of which a and e are
 *                                           the new ones; what adds the initial values and gives the digest
 *   H(t), ROUND(t, sum)                     h in round t; round t, where `sum` is h + K + W
 * and includes this file.
 */
#define PAIR(low, high) _mm_insert_epi64(_mm_cvtsi64_si128((long long)(low)), (long long)(high), 1)

/* The last word of one pair and the first of the next. */
#define ACROSS(x, y) _mm_alignr_epi8(y, x, 8)

/* Words t and t + 1 of the schedule take the place of those 16 before; with K added they go to memory, for the rounds. */
#define NEXT(t)                                                                                                        \
  do {                                                                                                                 \
    __m128i *const at = &w[((t) / 2) & 7];                                                                             \
    const __m128i after = w[((t) / 2 + 1) & 7], middle = ACROSS(w[((t) / 2 + 4) & 7], w[((t) / 2 + 5) & 7]);           \
    const __m128i sigma0 = SMALL_SIGMA0(ACROSS(*at, after)), sigma1 = SMALL_SIGMA1(w[((t) / 2 + 7) & 7]);              \
    *at = _mm_add_epi64(_mm_add_epi64(*at, middle), _mm_add_epi64(sigma0, sigma1));                                    \
    _mm_store_si128((__m128i *)(sums + (t)), _mm_add_epi64(*at, _mm_load_si128((const __m128i *)(k + (t)))));          \
  } while (0)

/* Two rounds, and the words that their successors 16 rounds later need. */
#define TWO_ROUNDS(t)                                                                                                  \
  do {                                                                                                                 \
    ROUND(t, H(t) + sums[t]);                                                                                          \
    ROUND((t) + 1, H((t) + 1) + sums[(t) + 1]);                                                                        \
  } while (0)
#define TWO_ROUNDS_AND_NEXT(t)                                                                                         \
  do {                                                                                                                 \
    TWO_ROUNDS(t);                                                                                                     \
    NEXT(t);                                                                                                           \
  } while (0)

TARGET void KERNEL(uint64_t *words, uint64_t steps) {
  const struct hc_constants *constants = &hc_constants;
  _Alignas(16) uint64_t sums[16];
  uint64_t digest[8];
  for (int i = 0; i < 8; i++) digest[i] = words[i];

  for (; steps > 0; steps--) {
    HC_HIDE(constants);
    const uint64_t *k = constants->rounds;
    __m128i w[8];
    for (int i = 0; i < 4; i++) w[i] = PAIR(digest[2 * i], digest[2 * i + 1]);
    w[4] = PAIR(constants->padding, 0);
    w[5] = w[6] = _mm_setzero_si128();
    w[7] = PAIR(0, constants->length);

    STATE;
    BEGIN(digest[0] + constants->first_a, digest[0] + constants->first_e);
    ROUND(1, digest[1] + k[1]);
    ROUND(2, digest[2] + k[2]);
    k += 16; /* of the words that are made now */
    NEXT(0);
    ROUND(3, digest[3] + k[3 - 16]);
    ROUND(4, H(4) + (digest[4] + k[4 - 16]));
    NEXT(2);
    ROUND(5, H(5) + (digest[5] + k[5 - 16]));
    ROUND(6, H(6) + (digest[6] + k[6 - 16]));
    NEXT(4);
    ROUND(7, H(7) + (digest[7] + k[7 - 16]));
    ROUND(8, H(8) + k[8 - 16]);
    NEXT(6);
    ROUND(9, H(9) + k[9 - 16]);
    ROUND(10, H(10) + k[10 - 16]);
    NEXT(8);
    ROUND(11, H(11) + k[11 - 16]);
    ROUND(12, H(12) + k[12 - 16]);
    NEXT(10);
    ROUND(13, H(13) + k[13 - 16]);
    ROUND(14, H(14) + k[14 - 16]);
    NEXT(12);
    ROUND(15, H(15) + k[15 - 16]);
    NEXT(14);

    for (k += 16; k < constants->rounds + 80; k += 16) {
      TWO_ROUNDS_AND_NEXT(0);
      TWO_ROUNDS_AND_NEXT(2);
      TWO_ROUNDS_AND_NEXT(4);
      TWO_ROUNDS_AND_NEXT(6);
      TWO_ROUNDS_AND_NEXT(8);
      TWO_ROUNDS_AND_NEXT(10);
      TWO_ROUNDS_AND_NEXT(12);
      TWO_ROUNDS_AND_NEXT(14);
    }
    TWO_ROUNDS(0);
    TWO_ROUNDS(2);
    TWO_ROUNDS(4);
    TWO_ROUNDS(6);
    TWO_ROUNDS(8);
    TWO_ROUNDS(10);
    TWO_ROUNDS(12);
    TWO_ROUNDS(14);
    END;
  }
  for (int i = 0; i < 8; i++) words[i] = digest[i];
}
