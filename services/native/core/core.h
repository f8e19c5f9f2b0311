/*
 * Iterated SHA-512: everything that the files of the core share. Every iteration hashes one 64-byte digest, which is
 * one block with constant padding. Between iterations digests stay in native words, word by word: words[i * lanes + l]
 * is word i of the digest in lane l.
 */
#ifndef HASHCLUSTER_CORE_H
#define HASHCLUSTER_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if (defined(__x86_64__) || defined(_M_X64)) && defined(__GNUC__)
#define HC_X86 1
#include <immintrin.h>
#else
#define HC_X86 0
#endif

/* Some kernels are faster in the order in which they are written than in what gcc makes of it. */
#if defined(HC_AS_WRITTEN) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-schedule-insns2")
#endif

/* Hides from the compiler where x comes from: it can neither fold it nor change the order of additions across it. */
#define HC_HIDE(x) __asm__("" : "+r"(x))

#define HC_DIGEST_BYTES 64
#define HC_DIGEST_WORDS 8
#define HC_MAX_LANES 9

/* Steps between two looks at the clock and at attention; CHUNK_STEPS of kernel.ts is the same. */
#define HC_CHUNK_STEPS 8192

/* The largest number of iterations that a double counts exactly: 2^53 - 1. */
#define HC_MAX_REMAINING 9007199254740991.0

struct hc_constants {
  uint64_t initial[8];
  uint64_t first_a, first_e; /* a and e after round 0, without its message word */
  uint64_t padding, length;  /* message words 8 and 15 */
  uint64_t sigma0_padding, sigma0_length, sigma1_length;
  _Alignas(64) uint64_t rounds[80]; /* round constants; what is constant in rounds 1 to 15 is added in */
};
extern const struct hc_constants hc_constants;

/* Hashes every lane `steps` times. `words` is aligned to 64 bytes. */
typedef void hc_kernel(uint64_t *words, uint64_t steps);

/* Where a loop lies can cost a sixth: so at least not by chance. */
#define HC_ALIGNED __attribute__((aligned(64)))
HC_ALIGNED hc_kernel hc_portable;
#if HC_X86
HC_ALIGNED hc_kernel hc_avx512_x9, hc_avx512_x8, hc_avx512vl_x4, hc_avx2_x4;
HC_ALIGNED hc_kernel hc_chain_split, hc_chain_avx512vl, hc_chain_avx2;
#endif

/* What to run while `at_least` chains or more are live, and fewer than the tier before asks for. */
struct hc_tier {
  unsigned at_least, lanes;
  hc_kernel *kernel;
};

/* Tiers from the widest to that for one chain. */
#define HC_MAX_TIERS 4
struct hc_backend {
  const char *name;
  unsigned tier_count;
  struct hc_tier tiers[HC_MAX_TIERS];
};

/* What this processor can run, the fastest first. */
#define HC_MAX_BACKENDS 5
struct hc_backends {
  unsigned count;
  struct hc_backend list[HC_MAX_BACKENDS];
};
void hc_detect(struct hc_backends *found);

/* The processor's features that matter here: writes at most `room` names, returns how many. */
#define HC_MAX_FEATURES 8
unsigned hc_features(const char **names, unsigned room);

/* `chains` chains side by side, of which `order[0 .. count - 1]` are to be run. See LaneBatch in kernel.ts. */
struct hc_batch {
  uint8_t *digests;
  double *remaining;
  size_t chains;
  const uint32_t *order;
  size_t count;
};

/*
 * Runs until all is done, `budget_ms` is over or *attention is not 0. An entry of `order` that is no chain, or whose
 * remaining is no count, is passed over. Returns the iterations done.
 */
uint64_t hc_run(const struct hc_backend *backend, const struct hc_batch *batch, double budget_ms,
                const int32_t *attention);

#endif
