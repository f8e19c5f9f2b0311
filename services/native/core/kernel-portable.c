#define HC_AS_WRITTEN
#include "core.h"

/* One lane in plain C: for every processor that has nothing better. */
#define KERNEL hc_portable
#define TARGET
#define VEC uint64_t
#define LOAD(p, i) ((p)[i])
#define STORE(p, i, x) ((p)[i] = (x))
#define ALL(word) (word)
#define ADD(x, y) ((x) + (y))
#define ROR(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
#define ROR8(x) ROR(x, 8)
#define SHR(x, n) ((x) >> (n))
#define XOR3(x, y, z) ((x) ^ (y) ^ (z))
#define CHOOSE(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
/* The compiler has y ^ z from the round before, where it was x ^ y. */
#define MAJORITY(x, y, z) ((y) ^ (((x) ^ (y)) & ((y) ^ (z))))
#define ORDER(x) (void)0
#include "lanes.h"
