#define HC_AS_WRITTEN
#include "core.h"

#if HC_X86
/*
 * Eight lanes in a vector, a ninth in general registers. AMD's Zen 4 has execution units of their own for each, and the
 * vectors leave it time enough: the ninth lane costs nothing. Where vectors and general registers share units (Intel),
 * it would.
 */
#define INSTRUCTIONS "avx512f,avx512bw,bmi,bmi2"
#define KERNEL hc_avx512_x9
#define TARGET __attribute__((target(INSTRUCTIONS)))
#define INLINE static inline __attribute__((always_inline, target(INSTRUCTIONS)))
#define VEC struct nine
struct nine {
  __m512i eight;
  uint64_t ninth;
};

INLINE VEC load(const uint64_t *p) { return (VEC){_mm512_loadu_si512(p), p[8]}; }
INLINE void store(uint64_t *p, VEC x) {
  _mm512_storeu_si512(p, x.eight);
  p[8] = x.ninth;
}
INLINE VEC all(uint64_t word) { return (VEC){_mm512_set1_epi64((long long)word), word}; }
INLINE VEC add(VEC x, VEC y) { return (VEC){_mm512_add_epi64(x.eight, y.eight), x.ninth + y.ninth}; }

/* Shifts take constants only, so these are macros. */
#define SHR(x, n) ((VEC){_mm512_srli_epi64((x).eight, n), (x).ninth >> (n)})
#define ROR(x, n) ((VEC){_mm512_ror_epi64((x).eight, n), rotate((x).ninth, n)})

/* An instruction by name keeps compilers from gathering words of the ninth lane in vectors. */
INLINE uint64_t rotate(uint64_t word, const int n) {
  uint64_t rotated;
  __asm__("rorxq %2, %1, %0" : "=r"(rotated) : "r"(word), "i"(n));
  return rotated;
}

/* A rotation by whole bytes is one shuffle, which more units can do than shift. */
INLINE VEC rotate_by_8(VEC x) {
  const __m512i bytes = _mm512_set4_epi64(0x080f0e0d0c0b0a09, 0x0007060504030201, 0x080f0e0d0c0b0a09, 0x0007060504030201);
  return (VEC){_mm512_shuffle_epi8(x.eight, bytes), rotate(x.ninth, 8)};
}

/* Functions of three words: of vectors by truth table. */
INLINE VEC xor3(VEC x, VEC y, VEC z) {
  return (VEC){_mm512_ternarylogic_epi64(x.eight, y.eight, z.eight, 0x96), x.ninth ^ y.ninth ^ z.ninth};
}
INLINE VEC choose(VEC x, VEC y, VEC z) {
  return (VEC){_mm512_ternarylogic_epi64(x.eight, y.eight, z.eight, 0xca), ((y.ninth ^ z.ninth) & x.ninth) ^ z.ninth};
}
INLINE VEC majority(VEC x, VEC y, VEC z) {
  return (VEC){_mm512_ternarylogic_epi64(x.eight, y.eight, z.eight, 0xe8),
               ((x.ninth ^ y.ninth) & (y.ninth ^ z.ninth)) ^ y.ninth};
}

#define LOAD(p, i) load((p) + 9 * (i))
#define STORE(p, i, x) store((p) + 9 * (i), x)
#define ALL(word) all(word)
#define ADD(x, y) add(x, y)
#define ROR8(x) rotate_by_8(x)
#define XOR3(x, y, z) xor3(x, y, z)
#define CHOOSE(x, y, z) choose(x, y, z)
#define MAJORITY(x, y, z) majority(x, y, z)
#define ORDER(x) __asm__("" : "+v"((x).eight), "+r"((x).ninth))
#include "lanes.h"
#endif
