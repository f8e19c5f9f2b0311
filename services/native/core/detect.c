#include "core.h"

/* Adds a backend, with its tiers from the widest to that for one chain. */
static void add(struct hc_backends *found, const char *name, unsigned tier_count, const struct hc_tier *tiers) {
  struct hc_backend *backend = &found->list[found->count++];
  backend->name = name;
  backend->tier_count = tier_count;
  for (unsigned i = 0; i < tier_count; i++) backend->tiers[i] = tiers[i];
}

#if HC_X86
struct cpu {
  bool avx512vl, avx512, avx2, bmi, amd, zen4;
};

static struct cpu look(void) {
  __builtin_cpu_init();
  struct cpu cpu;
  cpu.bmi = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  cpu.avx2 = __builtin_cpu_supports("avx2");
  cpu.avx512vl = cpu.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
  cpu.avx512 = cpu.avx512vl && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  cpu.amd = __builtin_cpu_is("amd");
  /* Family 19h is Zen 3 and Zen 4; the latter has AVX-512. */
  cpu.zen4 = cpu.avx512 && cpu.bmi && __builtin_cpu_is("amdfam19h");
  return cpu;
}

void hc_detect(struct hc_backends *found) {
  const struct cpu cpu = look();
  found->count = 0;
  /* What runs a lone chain where AVX-512 may be used, and where it may not. */
  const struct hc_tier avx2_one = {1, 1, cpu.avx2 && cpu.bmi ? hc_chain_avx2 : hc_portable};
  const struct hc_tier vl_one = {1, 1, !cpu.bmi ? hc_portable : cpu.amd ? hc_chain_split : hc_chain_avx512vl};
  const struct hc_tier vl_four = {2, 4, hc_avx512vl_x4};
  const struct hc_tier eight = {5, 8, hc_avx512_x8};

  if (cpu.zen4) {
    add(found, "avx512", 4, (const struct hc_tier[]){{9, 9, hc_avx512_x9}, eight, vl_four, vl_one});
  } else if (cpu.avx512) {
    add(found, "avx512", 3, (const struct hc_tier[]){eight, vl_four, vl_one});
  }
  if (cpu.avx512vl) add(found, "avx512vl", 2, (const struct hc_tier[]){vl_four, vl_one});
  if (cpu.avx2) add(found, "avx2", 2, (const struct hc_tier[]){{2, 4, hc_avx2_x4}, avx2_one});
  if (cpu.avx2 && cpu.bmi) add(found, "scalar", 1, cpu.avx512vl ? &vl_one : &avx2_one);
  add(found, "portable", 1, &(const struct hc_tier){1, 1, hc_portable});
}

unsigned hc_features(const char **names, unsigned room) {
  __builtin_cpu_init();
  unsigned count = 0;
#define FEATURE(name)                                                                                                  \
  if (count < room && __builtin_cpu_supports(name)) names[count++] = name
  FEATURE("avx2");
  FEATURE("bmi");
  FEATURE("bmi2");
  FEATURE("avx512f");
  FEATURE("avx512vl");
  FEATURE("avx512bw");
  FEATURE("avx512dq");
#undef FEATURE
  return count;
}
#else
void hc_detect(struct hc_backends *found) {
  found->count = 0;
  add(found, "portable", 1, &(const struct hc_tier){1, 1, hc_portable});
}

unsigned hc_features(const char **names, unsigned room) {
  (void)names;
  (void)room;
  return 0;
}
#endif
