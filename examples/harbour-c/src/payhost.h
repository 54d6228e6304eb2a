#include <stdint.h>

#define PH(name) __attribute__((import_module("payhost_v1"), import_name(#name))) ph_##name
#define PH_EXPORT(name) __attribute__((export_name(#name)))

int32_t PH(input)(uint32_t off, void *p, uint32_t cap);
int32_t PH(reply)(const void *p, uint32_t len);
int32_t PH(last_error)(void *p, uint32_t cap);
int32_t PH(features)(void *p, uint32_t cap);
int32_t PH(config)(void *p, uint32_t cap);

int64_t PH(now_ns)(void);
int64_t PH(deadline_ns)(void);
int32_t PH(random)(void *p, uint32_t len);

int32_t PH(blob_new)(int64_t capacity);
int32_t PH(blob_write)(int32_t blob, const void *p, uint32_t len);
int32_t PH(blob_read)(int32_t blob, int64_t off, void *p, uint32_t cap);
int64_t PH(blob_len)(int32_t blob);
int32_t PH(blob_free)(int32_t blob);

int32_t PH(http_send)(const void *req, uint32_t len, int32_t body_blob);

int32_t PH(digest)(int32_t alg, int32_t blob, void *p, uint32_t cap);
int32_t PH(sign)(const void *spec, uint32_t len, int32_t blob);
int32_t PH(verify)(const void *spec, uint32_t len, int32_t blob, int32_t sig_blob);
int32_t PH(encrypt)(const void *spec, uint32_t len, int32_t blob);
int32_t PH(decrypt)(const void *spec, uint32_t len, int32_t blob);

int32_t PH(kv_get)(const void *key, uint32_t len, uint64_t *version);
int32_t PH(kv_put)(const void *key, uint32_t len, int32_t value_blob, int64_t ttl_ms, int64_t expect,
                   uint64_t *version);
int32_t PH(kv_del)(const void *key, uint32_t len, int64_t expect);
int32_t PH(kv_incr)(const void *key, uint32_t len, int64_t delta, int64_t ttl_ms, int64_t *sum);
int32_t PH(kv_list)(const void *prefix, uint32_t prefix_len, const void *cursor, uint32_t cursor_len,
                    int32_t limit);

int32_t PH(log)(int32_t level, const void *p, uint32_t len);
int32_t PH(span_start)(const void *name, uint32_t len);
int32_t PH(span_end)(int32_t span, const void *attrs, uint32_t len);
