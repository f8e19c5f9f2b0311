/*
 * SHA-512 of 64-byte messages in lanes (FIPS 180-4, 6.4.2), all that is constant folded away. A kernel defines
 *   KERNEL, TARGET          its name, and the attribute that lets the compiler use its instructions
 *   VEC                     one word of every lane
 *   LOAD(p, i), STORE(p, i, x), ALL(word), ADD(x, y)
 *   ROR(x, n), ROR8(x), SHR(x, n), XOR3(x, y, z), CHOOSE(x, y, z), MAJORITY(x, y, z)
 *   ORDER(x)                keeps the sums in the order written, where that is faster than the compiler's order
 * and includes this file.
 */
#define BIG_SIGMA0(x) XOR3(ROR(x, 28), ROR(x, 34), ROR(x, 39))
#define BIG_SIGMA1(x) XOR3(ROR(x, 14), ROR(x, 18), ROR(x, 41))
#define SMALL_SIGMA0(x) XOR3(ROR(x, 1), ROR8(x), SHR(x, 7))
#define SMALL_SIGMA1(x) XOR3(ROR(x, 19), ROR(x, 61), SHR(x, 6))

/* Working variable i (0 = a … 7 = h) in round t: they stay where they are, and change their names from round to round. */
#define S(i, t) s[((i) - (t)) & 7]

/* Round t; `sum` is h + K + W. What it takes to the next e comes first: that is the longest way through SHA-512. */
#define ROUND(t, sum)                                                                                                  \
  do {                                                                                                                 \
    const VEC sigma1 = BIG_SIGMA1(S(4, t));                                                                            \
    VEC t1 = sum;                                                                                                      \
    ORDER(t1);                                                                                                         \
    t1 = ADD(t1, CHOOSE(S(4, t), S(5, t), S(6, t)));                                                                   \
    ORDER(t1);                                                                                                         \
    t1 = ADD(t1, sigma1);                                                                                              \
    ORDER(t1);                                                                                                         \
    S(3, t) = ADD(S(3, t), t1);                                                                                        \
    t1 = ADD(t1, MAJORITY(S(0, t), S(1, t), S(2, t)));                                                                 \
    ORDER(t1);                                                                                                         \
    S(7, t) = ADD(t1, BIG_SIGMA0(S(0, t)));                                                                            \
  } while (0)

/* A round with a word of the message or its schedule; one whose word is constant; one that makes its word first. */
#define WORD_ROUND(t) ROUND(t, ADD(S(7, t), ADD(w[(t)&15], ALL(k[t]))))
#define BARE_ROUND(t) ROUND(t, ADD(S(7, t), ALL(k[t])))
#define NEXT_ROUND(t)                                                                                                  \
  do {                                                                                                                 \
    w[t] = ADD(ADD(w[t], w[((t) + 9) & 15]), ADD(SMALL_SIGMA0(w[((t) + 1) & 15]), SMALL_SIGMA1(w[((t) + 14) & 15])));  \
    WORD_ROUND(t);                                                                                                     \
  } while (0)

#define FOUR_NEXT_ROUNDS(t)                                                                                            \
  do {                                                                                                                 \
    NEXT_ROUND(t);                                                                                                     \
    NEXT_ROUND((t) + 1);                                                                                               \
    NEXT_ROUND((t) + 2);                                                                                               \
    NEXT_ROUND((t) + 3);                                                                                               \
  } while (0)

TARGET void KERNEL(uint64_t *words, uint64_t steps) {
  const struct hc_constants *constants = &hc_constants;
  VEC digest[8];
  for (int i = 0; i < 8; i++) digest[i] = LOAD(words, i);

  for (; steps > 0; steps--) {
    /* Hidden, so that constants are read from memory where they are used: making them costs vector instructions. */
    HC_HIDE(constants);
    const uint64_t *k = constants->rounds;
    VEC w[16], s[8];
    for (int i = 0; i < 8; i++) w[i] = digest[i];

    /* Round 0, of which only the first word varies; what becomes h in rounds 1 to 3 is part of their constants. */
    for (int i = 0; i < 7; i++) S(i, 0) = ALL(constants->initial[i]);
    S(4, 1) = ADD(w[0], ALL(constants->first_e));
    S(0, 1) = ADD(w[0], ALL(constants->first_a));

    /* Words 16 to 31 are made early, since these rounds have little else to do side by side. */
    ROUND(1, ADD(w[1], ALL(k[1])));
    w[0] = ADD(w[0], SMALL_SIGMA0(w[1]));
    ROUND(2, ADD(w[2], ALL(k[2]))); ROUND(3, ADD(w[3], ALL(k[3])));
    w[1] = ADD(ADD(w[1], ALL(constants->sigma1_length)), SMALL_SIGMA0(w[2]));
    WORD_ROUND(4); WORD_ROUND(5);
    w[2] = ADD(w[2], ADD(SMALL_SIGMA0(w[3]), SMALL_SIGMA1(w[0])));
    WORD_ROUND(6); WORD_ROUND(7);
    w[3] = ADD(w[3], ADD(SMALL_SIGMA0(w[4]), SMALL_SIGMA1(w[1])));
    BARE_ROUND(8); BARE_ROUND(9);
    w[4] = ADD(w[4], ADD(SMALL_SIGMA0(w[5]), SMALL_SIGMA1(w[2])));
    BARE_ROUND(10); BARE_ROUND(11);
    w[5] = ADD(w[5], ADD(SMALL_SIGMA0(w[6]), SMALL_SIGMA1(w[3])));
    BARE_ROUND(12); BARE_ROUND(13);
    w[6] = ADD(ADD(w[6], ALL(constants->length)), ADD(SMALL_SIGMA0(w[7]), SMALL_SIGMA1(w[4])));
    BARE_ROUND(14); BARE_ROUND(15);
    w[7] = ADD(ADD(w[7], ALL(constants->sigma0_padding)), ADD(w[0], SMALL_SIGMA1(w[5])));
    WORD_ROUND(16); WORD_ROUND(17);
    w[8] = ADD(ADD(w[1], ALL(constants->padding)), SMALL_SIGMA1(w[6]));
    WORD_ROUND(18);
    w[9] = ADD(w[2], SMALL_SIGMA1(w[7]));
    WORD_ROUND(19); WORD_ROUND(20);
    w[10] = ADD(w[3], SMALL_SIGMA1(w[8]));
    WORD_ROUND(21);
    w[11] = ADD(w[4], SMALL_SIGMA1(w[9]));
    WORD_ROUND(22); WORD_ROUND(23);
    w[12] = ADD(w[5], SMALL_SIGMA1(w[10]));
    WORD_ROUND(24); WORD_ROUND(25);
    w[13] = ADD(w[6], SMALL_SIGMA1(w[11]));
    WORD_ROUND(26); WORD_ROUND(27);
    w[14] = ADD(ADD(w[7], ALL(constants->sigma0_length)), SMALL_SIGMA1(w[12]));
    WORD_ROUND(28); WORD_ROUND(29);
    w[15] = ADD(ADD(w[8], ALL(constants->length)), ADD(SMALL_SIGMA0(w[0]), SMALL_SIGMA1(w[13])));
    WORD_ROUND(30); WORD_ROUND(31);

    /* Rounds 32 to 79, looped: unrolled they would not fit where processors keep decoded instructions. */
    for (k += 32; k < constants->rounds + 80; k += 16) {
      FOUR_NEXT_ROUNDS(0);
      FOUR_NEXT_ROUNDS(4);
      FOUR_NEXT_ROUNDS(8);
      FOUR_NEXT_ROUNDS(12);
    }
    for (int i = 0; i < 8; i++) digest[i] = ADD(S(i, 80), ALL(constants->initial[i]));
  }
  for (int i = 0; i < 8; i++) STORE(words, i, digest[i]);
}
