/*
 * The hashing core as a Node-API module: checks arguments, calls the core. It keeps nothing but what the processor can
 * run, once per environment, so any number of threads can load it.
 */
#define NAPI_VERSION 8
#include <node_api.h>

#include <stdlib.h>
#include <string.h>

#include "core/core.h"

/* Room for the name of any backend, and for seeing that a name is too long to be one. */
#define NAME_ROOM 16

enum { ARG_BACKEND, ARG_DIGESTS, ARG_REMAINING, ARG_ORDER, ARG_COUNT, ARG_BUDGET, ARG_ATTENTION, ARG_TOTAL };

/* These give what says "an exception is pending" in every function here: NULL, or false. */
static void *throw_type(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return NULL;
}

static void *throw_range(napi_env env, const char *message) {
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", message);
  return NULL;
}

/* For calls that fail only when the environment is out of memory or shutting down. Leaves an exception that is pending. */
static void *fail(napi_env env) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, NULL, "Node-API call failed");
  return NULL;
}

static struct hc_backends *backends_of(napi_env env) {
  void *data = NULL;
  return napi_get_instance_data(env, &data) == napi_ok ? data : NULL;
}

static bool read_typed_array(napi_env env, napi_value value, napi_typedarray_type wanted, void **data,
                             size_t *length) {
  bool is_array = false;
  napi_typedarray_type type;
  if (napi_is_typedarray(env, value, &is_array) != napi_ok || !is_array) return false;
  return napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok && type == wanted;
}

static bool read_number(napi_env env, napi_value value, double *number) {
  return napi_get_value_double(env, value, number) == napi_ok;
}

/* The backend with that name, or NULL after an exception. */
static const struct hc_backend *read_backend(napi_env env, napi_value value) {
  char name[NAME_ROOM];
  const struct hc_backends *backends = backends_of(env);
  if (backends == NULL) return fail(env);
  if (napi_get_value_string_utf8(env, value, name, sizeof name, NULL) != napi_ok)
    return throw_type(env, "backend must be a string");
  for (unsigned i = 0; i < backends->count; i++)
    if (strcmp(backends->list[i].name, name) == 0) return &backends->list[i];
  return throw_range(env, "backend must be one of those that backends() names");
}

static bool is_count(double number, double most) {
  return number >= 0 && number <= most && (double)(uint64_t)number == number;
}

/* The four arguments that describe the chains; false after an exception. */
static bool read_batch(napi_env env, const napi_value *args, struct hc_batch *batch) {
  void *digests, *remaining, *order;
  size_t bytes, chains, entries;
  double count;
  if (!read_typed_array(env, args[ARG_DIGESTS], napi_uint8_array, &digests, &bytes))
    return throw_type(env, "digests must be a Uint8Array");
  if (!read_typed_array(env, args[ARG_REMAINING], napi_float64_array, &remaining, &chains))
    return throw_type(env, "remaining must be a Float64Array");
  if (!read_typed_array(env, args[ARG_ORDER], napi_uint32_array, &order, &entries))
    return throw_type(env, "order must be a Uint32Array");
  if (!read_number(env, args[ARG_COUNT], &count)) return throw_type(env, "count must be a number");
  if (bytes % HC_DIGEST_BYTES != 0) return throw_range(env, "digests must have 64 bytes per chain");
  if (bytes / HC_DIGEST_BYTES != chains) return throw_range(env, "remaining must have one entry per chain in digests");
  if (!is_count(count, (double)entries))
    return throw_range(env, "count must be an integer from 0 to the length of order");
  *batch = (struct hc_batch){digests, remaining, chains, order, (size_t)count};
  return true;
}

/* Every entry of order must be a chain, and every count one that doubles hold exactly; false after an exception. */
static bool check_entries(napi_env env, const struct hc_batch *batch) {
  for (size_t i = 0; i < batch->count; i++) {
    const uint32_t chain = batch->order[i];
    if (chain >= batch->chains) return throw_range(env, "order must name only chains in digests");
    if (!is_count(batch->remaining[chain], HC_MAX_REMAINING))
      return throw_range(env, "remaining must be integers from 0 to 2^53 - 1");
  }
  return true;
}

static napi_value run(napi_env env, napi_callback_info info) {
  napi_value args[ARG_TOTAL];
  size_t given = ARG_TOTAL;
  struct hc_batch batch;
  double budget_ms;
  void *attention;
  size_t flags;
  if (napi_get_cb_info(env, info, &given, args, NULL, NULL) != napi_ok) return fail(env);
  const struct hc_backend *backend = read_backend(env, args[ARG_BACKEND]);
  if (backend == NULL || !read_batch(env, args, &batch)) return NULL;
  if (!read_number(env, args[ARG_BUDGET], &budget_ms)) return throw_type(env, "budgetMs must be a number");
  if (!read_typed_array(env, args[ARG_ATTENTION], napi_int32_array, &attention, &flags))
    return throw_type(env, "attention must be an Int32Array");
  if (!(budget_ms >= 0)) return throw_range(env, "budgetMs must be 0 or more");
  if (flags == 0) return throw_range(env, "attention must have an entry");
  if (!check_entries(env, &batch)) return NULL;

  const uint64_t done = hc_run(backend, &batch, budget_ms, attention);
  napi_value result;
  return napi_create_double(env, (double)done, &result) == napi_ok ? result : fail(env);
}

/* An array of strings. */
static napi_value strings(napi_env env, const char *const *texts, unsigned count) {
  napi_value list, text;
  if (napi_create_array_with_length(env, count, &list) != napi_ok) return fail(env);
  for (unsigned i = 0; i < count; i++) {
    if (napi_create_string_utf8(env, texts[i], NAPI_AUTO_LENGTH, &text) != napi_ok) return fail(env);
    if (napi_set_element(env, list, i, text) != napi_ok) return fail(env);
  }
  return list;
}

static napi_value features(napi_env env, napi_callback_info info) {
  (void)info;
  const char *names[HC_MAX_FEATURES];
  return strings(env, names, hc_features(names, HC_MAX_FEATURES));
}

static napi_value backends(napi_env env, napi_callback_info info) {
  (void)info;
  const char *names[HC_MAX_BACKENDS];
  const struct hc_backends *found = backends_of(env);
  if (found == NULL) return fail(env);
  for (unsigned i = 0; i < found->count; i++) names[i] = found->list[i].name;
  return strings(env, names, found->count);
}

static napi_value lanes(napi_env env, napi_callback_info info) {
  napi_value name, result;
  size_t given = 1;
  if (napi_get_cb_info(env, info, &given, &name, NULL, NULL) != napi_ok) return fail(env);
  const struct hc_backend *backend = read_backend(env, name);
  if (backend == NULL) return NULL;
  return napi_create_uint32(env, backend->tiers[0].lanes, &result) == napi_ok ? result : fail(env);
}

static void forget(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"run", NULL, run, NULL, NULL, NULL, napi_enumerable, NULL},
      {"features", NULL, features, NULL, NULL, NULL, napi_enumerable, NULL},
      {"backends", NULL, backends, NULL, NULL, NULL, napi_enumerable, NULL},
      {"lanes", NULL, lanes, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  struct hc_backends *found = malloc(sizeof *found);
  if (found == NULL) return fail(env);
  hc_detect(found);
  if (napi_set_instance_data(env, found, forget, NULL) != napi_ok) {
    free(found);
    return fail(env);
  }
  if (napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) != napi_ok)
    return fail(env);
  return exports;
}
