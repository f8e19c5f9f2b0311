#define _POSIX_C_SOURCE 200809L
#include "core.h"

#include <string.h>
#include <time.h>

/* Chains in lanes. Lanes 0 to live - 1 are in use: one that ends is refilled, or the last one moves into its place. */
struct lanes {
  const struct hc_tier *tier;
  unsigned live;
  uint32_t chain[HC_MAX_LANES];
  uint64_t left[HC_MAX_LANES];
  _Alignas(64) uint64_t words[HC_DIGEST_WORDS * HC_MAX_LANES];
};

/* Words stand in digests with the highest byte first. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BIG_ENDIAN_WORD(word) __builtin_bswap64(word)
#else
#define BIG_ENDIAN_WORD(word) (word)
#endif

static uint64_t read_word(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  return BIG_ENDIAN_WORD(word);
}

static void write_word(uint8_t *bytes, uint64_t word) {
  word = BIG_ENDIAN_WORD(word);
  memcpy(bytes, &word, sizeof word);
}

/* Writes back where the chain of a lane stands: digest and count belong together. */
static void store(const struct lanes *lanes, unsigned lane, const struct hc_batch *batch) {
  const size_t chain = lanes->chain[lane];
  uint8_t *digest = batch->digests + chain * HC_DIGEST_BYTES;
  for (unsigned i = 0; i < HC_DIGEST_WORDS; i++)
    write_word(digest + 8 * i, lanes->words[i * lanes->tier->lanes + lane]);
  batch->remaining[chain] = (double)lanes->left[lane];
}

/* Puts the next chain that has something left into a lane; false when there is none. */
static bool load(struct lanes *lanes, unsigned lane, const struct hc_batch *batch, size_t *next) {
  while (*next < batch->count) {
    /* Read once: the caller's memory may be shared with other threads. */
    const uint32_t chain = batch->order[(*next)++];
    if (chain >= batch->chains) continue;
    const double left = batch->remaining[chain];
    if (!(left >= 1 && left <= HC_MAX_REMAINING)) continue;
    const uint8_t *digest = batch->digests + (size_t)chain * HC_DIGEST_BYTES;
    lanes->chain[lane] = chain;
    lanes->left[lane] = (uint64_t)left;
    for (unsigned i = 0; i < HC_DIGEST_WORDS; i++)
      lanes->words[i * lanes->tier->lanes + lane] = read_word(digest + 8 * i);
    return true;
  }
  return false;
}

static void move(struct lanes *lanes, unsigned to, unsigned from) {
  lanes->chain[to] = lanes->chain[from];
  lanes->left[to] = lanes->left[from];
  for (unsigned i = 0; i < HC_DIGEST_WORDS; i++)
    lanes->words[i * lanes->tier->lanes + to] = lanes->words[i * lanes->tier->lanes + from];
}

/* Narrower tiers for fewer chains. Words move towards the beginning, so in this order none is overwritten too early. */
static void narrow(struct lanes *lanes, const struct hc_backend *backend) {
  const struct hc_tier *last = &backend->tiers[backend->tier_count - 1];
  const unsigned from = lanes->tier->lanes;
  while (lanes->tier < last && lanes->live < lanes->tier->at_least) lanes->tier++;
  const unsigned to = lanes->tier->lanes;
  if (to == from) return;
  for (unsigned i = 0; i < HC_DIGEST_WORDS; i++)
    for (unsigned lane = 0; lane < lanes->live; lane++) lanes->words[i * to + lane] = lanes->words[i * from + lane];
}

/* Stores what has ended, and refills. */
static void turn_over(struct lanes *lanes, const struct hc_batch *batch, size_t *next) {
  for (unsigned lane = 0; lane < lanes->live;) {
    if (lanes->left[lane] > 0) {
      lane++;
      continue;
    }
    store(lanes, lane, batch);
    if (load(lanes, lane, batch, next)) {
      lane++;
    } else if (--lanes->live > lane) {
      move(lanes, lane, lanes->live);
    }
  }
}

/* Runs all lanes until the first chain ends, but at most `most` steps, of which it returns the number. */
static uint64_t advance(struct lanes *lanes, uint64_t most) {
  uint64_t steps = most;
  for (unsigned lane = 0; lane < lanes->live; lane++)
    if (lanes->left[lane] < steps) steps = lanes->left[lane];
  lanes->tier->kernel(lanes->words, steps);
  for (unsigned lane = 0; lane < lanes->live; lane++) lanes->left[lane] -= steps;
  return steps;
}

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

uint64_t hc_run(const struct hc_backend *backend, const struct hc_batch *batch, double budget_ms,
                const int32_t *attention) {
  const double deadline = now_ms() + budget_ms;
  struct lanes lanes = {.tier = &backend->tiers[0], .live = 0};
  size_t next = 0;
  uint64_t done = 0, since_look = 0;

  while (lanes.live < lanes.tier->lanes && load(&lanes, lanes.live, batch, &next)) lanes.live++;
  while (lanes.live > 0) {
    narrow(&lanes, backend);
    const uint64_t steps = advance(&lanes, HC_CHUNK_STEPS - since_look);
    done += steps * lanes.live;
    /* Changing chains takes about as long as a step. */
    since_look += steps + 1;
    turn_over(&lanes, batch, &next);
    if (since_look < HC_CHUNK_STEPS) continue;
    since_look = 0;
    if (__atomic_load_n(attention, __ATOMIC_RELAXED) != 0 || now_ms() >= deadline) break;
  }
  for (unsigned lane = 0; lane < lanes.live; lane++) store(&lanes, lane, batch);
  return done;
}
