/*
 * Differential fuzz of the hashing core: every kernel and every run loop that this processor has, against SHA-512
 * written plainly from FIPS 180-4. Prints the seed, so that a failure can be repeated. Built with sanitizers by
 * `node services/native/fuzz.ts`.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../core/core.h"
#include "reference.h"

#define MOST_CHAINS 64

/* Read by AddressSanitizer. Its search for leaks needs ptrace, which containers forbid. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

struct named_kernel {
  const char *name;
  unsigned lanes;
  hc_kernel *run;
};

struct fuzz {
  uint64_t random; /* the state of the generator */
  uint64_t cases;  /* chains compared so far */
};

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t draw(struct fuzz *fuzz) {
  uint64_t x = fuzz->random += UINT64_C(0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}

static unsigned below(struct fuzz *fuzz, unsigned limit) { return (unsigned)(draw(fuzz) % limit); }

/* Mostly random; now and then one where carries, signs and padding would go wrong first. */
static void draw_digest(struct fuzz *fuzz, uint8_t digest[64]) {
  const unsigned kind = below(fuzz, 12);
  for (unsigned i = 0; i < 64; i++) {
    digest[i] = kind == 0 ? 0x00 : kind == 1 ? 0xff : kind == 2 ? 0x80 : (uint8_t)draw(fuzz);
    if (kind == 3) digest[i] = i % 8 == 0 ? 0x80 : 0x00;
  }
}

static unsigned draw_steps(struct fuzz *fuzz) {
  return below(fuzz, 30) == 0 ? 23 + below(fuzz, 400) : below(fuzz, 23);
}

static void iterate_plainly(uint8_t digest[64], uint64_t steps) {
  for (; steps > 0; steps--) sha512_plain(digest, 64, digest);
}

static void fail_plainly(const char *what, const char *how) {
  printf("WRONG: %s %s\n", what, how);
  exit(1);
}

static void fail(const char *what, unsigned chain, unsigned chains, uint64_t steps, const uint8_t *start) {
  printf("WRONG: %s, chain %u of %u, %" PRIu64 " iterations from ", what, chain, chains, steps);
  for (unsigned i = 0; i < 64; i++) printf("%02x", start[i]);
  printf("\n");
  exit(1);
}

/* One kernel, all lanes: the same number of steps in each, from digests of their own, in two parts. */
static void fuzz_kernel(struct fuzz *fuzz, const struct named_kernel *kernel) {
  _Alignas(64) uint64_t words[8 * HC_MAX_LANES];
  uint8_t start[HC_MAX_LANES][64], want[64];
  const unsigned lanes = kernel->lanes, steps = draw_steps(fuzz), first = below(fuzz, steps + 1);
  for (unsigned lane = 0; lane < lanes; lane++) {
    draw_digest(fuzz, start[lane]);
    for (unsigned i = 0; i < 8; i++) words[i * lanes + lane] = word_at(start[lane] + 8 * i);
  }
  kernel->run(words, first);
  kernel->run(words, steps - first);
  for (unsigned lane = 0; lane < lanes; lane++) {
    memcpy(want, start[lane], 64);
    iterate_plainly(want, steps);
    for (unsigned i = 0; i < 8; i++)
      if (words[i * lanes + lane] != word_at(want + 8 * i)) fail(kernel->name, lane, lanes, steps, start[lane]);
    fuzz->cases++;
  }
}

/* A batch on the heap, exactly as large as it says: what is read or written beside it is seen. */
struct heap_batch {
  struct hc_batch batch;
  uint32_t *order;
  uint8_t *start;
  uint64_t *steps;
  uint64_t total;
};

static void *allocate(size_t bytes) {
  void *memory = malloc(bytes > 0 ? bytes : 1);
  if (memory == NULL) abort();
  return memory;
}

static struct heap_batch make_batch(struct fuzz *fuzz, unsigned chains) {
  struct heap_batch made = {.order = allocate(chains * sizeof(uint32_t)), .start = allocate(chains * 64)};
  made.steps = allocate(chains * sizeof(uint64_t));
  made.batch = (struct hc_batch){allocate(chains * 64), allocate(chains * 8), chains, made.order, chains};
  for (unsigned i = 0; i < chains; i++) {
    draw_digest(fuzz, made.start + 64 * i);
    made.steps[i] = 0;
    /* A random order: every chain takes the place of an earlier one. */
    const unsigned place = below(fuzz, i + 1);
    made.order[i] = made.order[place];
    made.order[place] = i;
  }
  memcpy(made.batch.digests, made.start, chains * 64);
  return made;
}

static void set_steps(struct heap_batch *made, unsigned chain, uint64_t steps) {
  made->total += steps - made->steps[chain];
  made->steps[chain] = steps;
  made->batch.remaining[chain] = (double)steps;
}

static void free_batch(struct heap_batch *made) {
  free(made->batch.digests);
  free(made->batch.remaining);
  free(made->order);
  free(made->start);
  free(made->steps);
}

/* Every chain must stand where its count says, and all of them together where the sum says. */
static void check(struct fuzz *fuzz, const char *what, const struct heap_batch *made, uint64_t done) {
  const unsigned chains = (unsigned)made->batch.chains;
  uint64_t sum = 0;
  uint8_t want[64];
  for (unsigned i = 0; i < chains; i++) {
    const uint64_t steps = made->steps[i] - (uint64_t)made->batch.remaining[i];
    sum += steps;
    memcpy(want, made->start + 64 * i, 64);
    iterate_plainly(want, steps);
    if (memcmp(want, made->batch.digests + 64 * i, 64) != 0) fail(what, i, chains, steps, made->start + 64 * i);
    fuzz->cases++;
  }
  if (sum != done) fail_plainly(what, "returned another number than its chains say");
}

/* Any number of chains of any length, lanes refilled in mid-run, in one call or in two that split every chain. */
static void fuzz_refill(struct fuzz *fuzz, const struct hc_backend *backend) {
  const int32_t quiet = 0;
  struct heap_batch made = make_batch(fuzz, below(fuzz, MOST_CHAINS + 1));
  const unsigned chains = (unsigned)made.batch.chains;
  uint64_t done = 0;
  for (unsigned i = 0; i < chains; i++) set_steps(&made, i, draw_steps(fuzz));
  if (below(fuzz, 2) == 0) {
    for (unsigned i = 0; i < chains; i++)
      made.batch.remaining[i] = below(fuzz, (unsigned)made.steps[i] + 1);
    double first[MOST_CHAINS];
    for (unsigned i = 0; i < chains; i++) first[i] = made.batch.remaining[i];
    done = hc_run(backend, &made.batch, 1e9, &quiet);
    for (unsigned i = 0; i < chains; i++) made.batch.remaining[i] = (double)made.steps[i] - first[i];
  }
  done += hc_run(backend, &made.batch, 1e9, &quiet);
  if (done != made.total) fail_plainly(backend->name, "ended early");
  check(fuzz, backend->name, &made, done);
  free_batch(&made);
}

/* Only the chains of a mask have something left: every tier, with every lane in use or not. */
static void fuzz_mask(struct fuzz *fuzz, const struct hc_backend *backend, unsigned lanes, unsigned mask) {
  const int32_t quiet = 0;
  struct heap_batch made = make_batch(fuzz, lanes);
  for (unsigned i = 0; i < lanes; i++) set_steps(&made, i, (mask >> i) & 1 ? 1 + below(fuzz, 3) : 0);
  check(fuzz, backend->name, &made, hc_run(backend, &made.batch, 1e9, &quiet));
  free_batch(&made);
}

/* Chains longer than a chunk, stopped by the budget or by attention: exact wherever that is. */
static void fuzz_stop(struct fuzz *fuzz, const struct hc_backend *backend) {
  const int32_t attention = (int32_t)below(fuzz, 2);
  struct heap_batch made = make_batch(fuzz, 1 + below(fuzz, 3));
  for (unsigned i = 0; i < made.batch.chains; i++)
    set_steps(&made, i, below(fuzz, 2 * HC_CHUNK_STEPS) + 1);
  const uint64_t done = hc_run(backend, &made.batch, attention ? 1e9 : 0, &attention);
  check(fuzz, backend->name, &made, done);
  free_batch(&made);
}

/* Entries that are no chains and counts that are no counts, as another thread could write them at any time. */
static void fuzz_rubbish(struct fuzz *fuzz, const struct hc_backend *backend) {
  static const double rubbish[] = {-1, 0, 0.5, 9007199254740992.0, 1e300, -1e300};
  const int32_t quiet = 0;
  struct heap_batch made = make_batch(fuzz, 8);
  for (unsigned i = 0; i < 8; i++) made.batch.remaining[i] = rubbish[below(fuzz, 6)];
  made.order[below(fuzz, 8)] = 8 + below(fuzz, 1000);
  made.order[below(fuzz, 8)] = UINT32_MAX;
  if (hc_run(backend, &made.batch, 1e9, &quiet) != 0 || memcmp(made.start, made.batch.digests, 8 * 64) != 0)
    fail_plainly(backend->name, "ran what is no chain");
  fuzz->cases++;
  free_batch(&made);
}

/* All kernels that this processor can run, also those that it would not choose. */
static unsigned list_kernels(struct named_kernel *kernels) {
  unsigned count = 0;
  kernels[count++] = (struct named_kernel){"portable", 1, hc_portable};
#if HC_X86
  __builtin_cpu_init();
  const bool bmi = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (__builtin_cpu_supports("avx2")) {
    kernels[count++] = (struct named_kernel){"avx2 x4", 4, hc_avx2_x4};
    if (bmi) kernels[count++] = (struct named_kernel){"avx2 chain", 1, hc_chain_avx2};
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) {
    kernels[count++] = (struct named_kernel){"avx512vl x4", 4, hc_avx512vl_x4};
    kernels[count++] = (struct named_kernel){"avx512 x8", 8, hc_avx512_x8};
    if (bmi && __builtin_cpu_supports("avx512bw")) kernels[count++] = (struct named_kernel){"avx512 x9", 9, hc_avx512_x9};
    if (bmi) kernels[count++] = (struct named_kernel){"avx512vl chain", 1, hc_chain_avx512vl};
    if (bmi) kernels[count++] = (struct named_kernel){"split chain", 1, hc_chain_split};
  }
#endif
  return count;
}

/* The backends of this processor, and those that it would have if another had made it. */
static unsigned list_backends(struct hc_backend *backends) {
  struct hc_backends found;
  hc_detect(&found);
  memcpy(backends, found.list, found.count * sizeof *backends);
#if HC_X86
  if (strcmp(found.list[0].name, "avx512") == 0) {
    backends[found.count++] = (struct hc_backend){
        "avx512 of Intel", 3, {{5, 8, hc_avx512_x8}, {2, 4, hc_avx512vl_x4}, {1, 1, hc_chain_avx512vl}}};
  }
#endif
  return found.count;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* usage: fuzz CASES SECONDS SEED; ends when either is reached, but every choice of lanes is always tried. */
int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const uint64_t most = strtoull(argv[1], NULL, 10);
  const double end = now() + strtod(argv[2], NULL);
  struct fuzz fuzz = {.random = strtoull(argv[3], NULL, 10)};
  struct named_kernel kernels[HC_MAX_TIERS * HC_MAX_BACKENDS];
  struct hc_backend backends[HC_MAX_BACKENDS + 1];
  const unsigned kernel_count = list_kernels(kernels), backend_count = list_backends(backends);

  printf("seed %s, kernels:", argv[3]);
  for (unsigned i = 0; i < kernel_count; i++) printf("%s %s", i ? "," : "", kernels[i].name);
  printf("\n");
  if (!reference_is_right()) fail_plainly("the reference", "does not give what FIPS 180-4 gives");

  for (unsigned i = 0; i < backend_count; i++) {
    const unsigned lanes = backends[i].tiers[0].lanes, tried = lanes < 8 ? 4 : 8;
    for (unsigned mask = 0; mask < 1u << tried; mask++) fuzz_mask(&fuzz, &backends[i], tried, mask);
    for (unsigned live = 0; live <= lanes; live++) fuzz_mask(&fuzz, &backends[i], lanes, (1u << live) - 1);
  }
  for (uint64_t round = 0; fuzz.cases < most && now() < end; round++) {
    for (unsigned i = 0; i < kernel_count; i++) fuzz_kernel(&fuzz, &kernels[i]);
    for (unsigned i = 0; i < backend_count; i++) {
      const struct hc_backend *backend = &backends[i];
      const unsigned lanes = backend->tiers[0].lanes;
      fuzz_refill(&fuzz, backend);
      fuzz_mask(&fuzz, backend, lanes, below(&fuzz, 1u << lanes));
      if (round % 64 == 0) fuzz_stop(&fuzz, backend);
      if (round % 64 == 1) fuzz_rubbish(&fuzz, backend);
    }
  }
  printf("%" PRIu64 " cases, all right\n", fuzz.cases);
  return 0;
}
