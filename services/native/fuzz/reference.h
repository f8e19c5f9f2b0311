/*
 * SHA-512 as FIPS 180-4 writes it down, for messages of any length: slow, plain, and on its own. Nothing of it comes
 * from the core, not even the constants: they are worked out from what the standard says they are.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static uint64_t word_at(const uint8_t *bytes) {
  uint64_t word = 0;
  for (unsigned i = 0; i < 8; i++) word = (word << 8) + bytes[i];
  return word;
}

/* Numbers of 256 bits, the lowest 32 first: room for a 67-bit number cubed. */
struct wide {
  uint32_t part[8];
};

static struct wide times(struct wide x, struct wide y) {
  struct wide product = {{0}};
  for (unsigned i = 0; i < 8; i++) {
    uint64_t carry = 0;
    for (unsigned j = 0; i + j < 8; j++) {
      carry += (uint64_t)x.part[i] * y.part[j] + product.part[i + j];
      product.part[i + j] = (uint32_t)carry;
      carry >>= 32;
    }
  }
  return product;
}

static bool is_above(struct wide x, struct wide y) {
  for (int i = 7; i >= 0; i--)
    if (x.part[i] != y.part[i]) return x.part[i] > y.part[i];
  return false;
}

/* The first 64 bits of the fractional part of the square (degree 2) or cube root (3) of n: 4.2.3 and 5.3.5. */
static uint64_t root_fraction(unsigned n, unsigned degree) {
  struct wide scaled = {{0}}, root = {{0}};
  scaled.part[2 * degree] = n; /* n * 2^(64 * degree), whose root is that of n times 2^64 */
  for (int bit = 68; bit >= 0; bit--) {
    struct wide trial = root, power;
    trial.part[bit / 32] |= UINT32_C(1) << (bit % 32);
    power = times(trial, trial);
    if (degree == 3) power = times(power, trial);
    if (!is_above(power, scaled)) root = trial;
  }
  return ((uint64_t)root.part[1] << 32) + root.part[0];
}

static bool is_prime(unsigned n) {
  for (unsigned divisor = 2; divisor * divisor <= n; divisor++)
    if (n % divisor == 0) return false;
  return true;
}

struct plain_constants {
  uint64_t initial[8], k[80];
};

static const struct plain_constants *plain_constants(void) {
  static struct plain_constants constants;
  unsigned prime = 2;
  if (constants.k[0] != 0) return &constants;
  for (unsigned t = 0; t < 80; prime++) {
    if (!is_prime(prime)) continue;
    if (t < 8) constants.initial[t] = root_fraction(prime, 2);
    constants.k[t++] = root_fraction(prime, 3);
  }
  return &constants;
}

static uint64_t rotr(uint64_t x, unsigned n) { return (x >> n) | (x << (64 - n)); }
static uint64_t ch(uint64_t x, uint64_t y, uint64_t z) { return (x & y) ^ (~x & z); }
static uint64_t maj(uint64_t x, uint64_t y, uint64_t z) { return (x & y) ^ (x & z) ^ (y & z); }
static uint64_t big_sigma0(uint64_t x) { return rotr(x, 28) ^ rotr(x, 34) ^ rotr(x, 39); }
static uint64_t big_sigma1(uint64_t x) { return rotr(x, 14) ^ rotr(x, 18) ^ rotr(x, 41); }
static uint64_t small_sigma0(uint64_t x) { return rotr(x, 1) ^ rotr(x, 8) ^ (x >> 7); }
static uint64_t small_sigma1(uint64_t x) { return rotr(x, 19) ^ rotr(x, 61) ^ (x >> 6); }

/* 6.4.2 */
static void plain_block(uint64_t hash[8], const uint8_t block[128]) {
  const struct plain_constants *constants = plain_constants();
  uint64_t w[80];
  for (unsigned t = 0; t < 80; t++)
    w[t] = t < 16 ? word_at(block + 8 * t) : small_sigma1(w[t - 2]) + w[t - 7] + small_sigma0(w[t - 15]) + w[t - 16];
  uint64_t a = hash[0], b = hash[1], c = hash[2], d = hash[3];
  uint64_t e = hash[4], f = hash[5], g = hash[6], h = hash[7];
  for (unsigned t = 0; t < 80; t++) {
    const uint64_t t1 = h + big_sigma1(e) + ch(e, f, g) + constants->k[t] + w[t];
    const uint64_t t2 = big_sigma0(a) + maj(a, b, c);
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const uint64_t end[8] = {a, b, c, d, e, f, g, h};
  for (unsigned i = 0; i < 8; i++) hash[i] += end[i];
}

/* 5.1.2, 5.2.2 and 6.4; `digest` may be `message`. */
static void sha512_plain(const uint8_t *message, size_t length, uint8_t digest[64]) {
  uint64_t hash[8];
  uint8_t block[128];
  memcpy(hash, plain_constants()->initial, sizeof hash);
  size_t at = 0;
  for (; length - at >= 128; at += 128) plain_block(hash, message + at);
  memset(block, 0, sizeof block);
  if (length > at) memcpy(block, message + at, length - at);
  block[length - at] = 0x80;
  if (length - at >= 112) {
    plain_block(hash, block);
    memset(block, 0, sizeof block);
  }
  for (unsigned i = 0; i < 8; i++) block[127 - i] = (uint8_t)((uint64_t)length * 8 >> (8 * i));
  plain_block(hash, block);
  for (unsigned i = 0; i < 64; i++) digest[i] = (uint8_t)(hash[i / 8] >> (56 - 8 * (i % 8)));
}

/* The examples of the standard: "abc", and a message of two blocks. First and last words. */
static bool reference_is_right(void) {
  static const char two_blocks[] = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                                   "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
  uint8_t one[64], two[64];
  sha512_plain((const uint8_t *)"abc", 3, one);
  sha512_plain((const uint8_t *)two_blocks, sizeof two_blocks - 1, two);
  return word_at(one) == UINT64_C(0xddaf35a193617aba) && word_at(one + 56) == UINT64_C(0x2a9ac94fa54ca49f) &&
         word_at(two) == UINT64_C(0x8e959b75dae313da) && word_at(two + 56) == UINT64_C(0x5e96e55b874be909);
}
