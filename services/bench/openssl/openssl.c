/*
 * The yardstick: OpenSSL's own SHA-512 in a loop, by the functions that cost least (SHA512_Init, SHA512_Update,
 * SHA512_Final). A new OpenSSL discourages them, but has nothing faster.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#define NAPI_VERSION 8
#include <node_api.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

/* iterate(digest: Uint8Array of 64 bytes, steps: number): void */
static napi_value iterate(napi_env env, napi_callback_info info) {
  napi_value args[2];
  size_t given = 2, length = 0;
  napi_typedarray_type type;
  void *data = NULL;
  int64_t steps = 0;
  if (napi_get_cb_info(env, info, &given, args, NULL, NULL) != napi_ok ||
      napi_get_typedarray_info(env, args[0], &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array || length != SHA512_DIGEST_LENGTH ||
      napi_get_value_int64(env, args[1], &steps) != napi_ok) {
    napi_throw_type_error(env, NULL, "iterate takes 64 bytes and a number");
    return NULL;
  }
  unsigned char *digest = data;
  for (; steps > 0; steps--) {
    SHA512_CTX context;
    SHA512_Init(&context);
    SHA512_Update(&context, digest, SHA512_DIGEST_LENGTH);
    SHA512_Final(digest, &context);
  }
  return NULL;
}

/* version(): string */
static napi_value version(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value text = NULL;
  napi_create_string_utf8(env, OpenSSL_version(OPENSSL_VERSION), NAPI_AUTO_LENGTH, &text);
  return text;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"iterate", NULL, iterate, NULL, NULL, NULL, napi_enumerable, NULL},
      {"version", NULL, version, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, 2, functions);
  return exports;
}
