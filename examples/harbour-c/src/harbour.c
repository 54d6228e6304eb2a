/* Harbour Pay, a payhost plugin in C. The provider does not exist; README.md says what it would document.

   The host owns the wire, the secrets and the verdict. What is left to a plugin is to write requests, to read answers,
   and to say "I can't read this" wherever it can't: the host turns that into a doubt that it clears up by itself. */
#include "bytes.h"
#include "json.h"
#include "payhost.h"
#include "wire.h"

/* The words of the contract that this plugin uses, by the numbers of docs/abi.md. */
enum { DESCRIBE = 1, CHECK_CONFIG = 2, CREATE = 4, STATUS = 9, REFUND = 10, REFUND_STATUS = 11 };
enum { BAD_ARGUMENT = -1, TOO_LARGE = -2, UNSUPPORTED = -8 };
enum { APPLIED = 3, ACCEPTED = 4, DECLINED = 5 };
enum {
  CLASS_INVALID_REQUEST = 1, CLASS_CONFIG = 3, CLASS_AUTH = 4, CLASS_DECLINED = 5, CLASS_STATE_CONFLICT = 8,
  CLASS_DUPLICATE = 9, CLASS_NOT_FOUND = 10, CLASS_RATE_LIMITED = 12, CLASS_UNAVAILABLE = 13, CLASS_PROTOCOL = 15,
  CLASS_INTEGRITY = 16
};
enum { SUBJECT_PAYMENT = 1, SUBJECT_REFUND = 2 };
enum { FOUND_OBSERVED = 1, FOUND_NOT_FOUND = 2 };
enum { REASON_OTHER = 1, REASON_FUNDS = 2, REASON_REJECTED = 3, REASON_RISK = 7, REASON_INSTRUMENT = 9 };
enum { IDEMPOTENCY_NATIVE = 2, KEY_TEXT = 1, FLOW_REDIRECT = 2, SLOT_HEADER = 3, AUTH_HEADER = 3, NEXT_REDIRECT = 2 };
enum { EFFECT_READ = 1, EFFECT_MONEY = 2 };

/* Harbour takes Omani rials, which have three decimals, from 0.100 to 100,000.000. */
enum { DECIMALS = 3, LEAST = 100, MOST = 100000000, BATCH = 8 };
#define CURRENCY S("OMR")

/* ---- what the host hands us ---- */

typedef struct { int64_t minor; str currency; } money;
typedef struct { str id, provider_ref; } ref;
typedef struct { str base_url, merchant; } config;

/* The readers below add to what they are given, since a nested message that comes twice is merged. */
static int read_money(str message, money *m) {
  reader r = read_from(message);
  while (next(&r)) {
    if (r.field == 1) m->minor = (int64_t)r.v;
    if (r.field == 2) m->currency = r.s;
  }
  return !r.bad;
}

static int read_ref(str message, ref *f) {
  reader r = read_from(message);
  while (next(&r)) {
    if (r.field == 1) f->id = r.s;
    if (r.field == 3) f->provider_ref = r.s;
  }
  return !r.bad;
}

static int read_key(str intent, str *key) {
  reader r = read_from(intent);
  while (next(&r))
    if (r.field == 2) *key = r.s;
  return !r.bad;
}

static int32_t read_config(config *c) {
  int32_t n = ph_config(0, 0); /* tells how long it is */
  if (n < 0) return n;
  buf b = take((uint32_t)n);
  if (overflow) return TOO_LARGE;
  b.n = (uint32_t)ph_config(b.p, b.cap);
  *c = (config){{0, 0}, {0, 0}};
  reader r = read_from(whole(&b));
  while (next(&r)) {
    if (r.field == 2) c->base_url = r.s;
    if (r.field == 3) c->merchant = json_text(json_parse(r.s), S("merchant"));
  }
  return r.bad ? BAD_ARGUMENT : 0;
}

/* ---- replies ---- */

static buf out; /* the Reply of this call */

static int32_t answer(void) {
  if (overflow) return TOO_LARGE; /* half a reply is none: the host takes it for a fault of ours, which is safe */
  int32_t code = ph_reply(out.p, out.n);
  return code < 0 ? code : 0;
}

/* An error is what we make of a failure. told is the host's own, which is passed on as it is: it knows whether bytes
   have left, and we do not. */
typedef struct { int class, reason; str field, message, code, words, told; } error;

#define NO_ERROR ((error){.class = 0})
#define FAILURE(kind, text) ((error){.class = kind, .message = S(text)})

static int failed(const error *e) { return e->class != 0 || e->told.n != 0; }

static error host_error(void) {
  int32_t n = ph_last_error(0, 0);
  buf b = take(n > 0 ? (uint32_t)n : 0);
  if (n <= 0 || overflow) return FAILURE(CLASS_PROTOCOL, "the host gave no error");
  b.n = (uint32_t)ph_last_error(b.p, b.cap);
  return (error){.told = whole(&b)};
}

static void write_error(int field, const error *e) {
  if (e->told.n) {
    text(&out, field, e->told);
    return;
  }
  uint32_t at = open(&out, field);
  number(&out, 1, e->class);
  text(&out, 4, e->field);
  text(&out, 5, e->message);
  number(&out, 6, e->reason);
  text(&out, 7, e->code);
  text(&out, 8, e->words);
  close(&out, at);
}

static int32_t fail(error e) {
  out.n = 0;
  write_error(1, &e);
  return answer();
}

static int32_t refuse(str field, str message) {
  return fail((error){.class = CLASS_INVALID_REQUEST, .field = field, .message = message});
}

static void write_money(int field, int64_t minor) {
  uint32_t at = open(&out, field);
  number(&out, 1, minor);
  text(&out, 2, CURRENCY);
  close(&out, at);
}

/* ---- the wire ---- */

typedef struct { int32_t status; json body; error error; } response;

/* refusals are the codes that Harbour documents; each says that nothing has happened, but for key_reused: something
   has, under this key, and only status can tell what. */
static const struct { const char *code; int class, reason; } refusals[] = {
  {"bad_key", CLASS_AUTH, 0},
  {"unknown_merchant", CLASS_CONFIG, 0},
  {"invalid", CLASS_INVALID_REQUEST, 0},
  {"not_found", CLASS_NOT_FOUND, 0},
  {"not_paid", CLASS_STATE_CONFLICT, 0},
  {"more_than_left", CLASS_STATE_CONFLICT, 0},
  {"key_reused", CLASS_DUPLICATE, 0},
  {"declined", CLASS_DECLINED, REASON_OTHER},
};

/* sort says what an answer comes to. Harbour's errors are {"error":{"code":…,"message":…,"field":…}}. */
static error sort(const response *r) {
  if (r->status == 429) return FAILURE(CLASS_RATE_LIMITED, "harbour has had too many calls");
  if (r->status >= 500) return FAILURE(CLASS_UNAVAILABLE, "harbour says that it is out of order");
  if (r->body.n == 0) return FAILURE(CLASS_PROTOCOL, "the answer is no JSON object");
  json told = json_get(r->body, S("error"));
  if (r->status < 300 && told.n == 0) return NO_ERROR;
  error e = FAILURE(CLASS_PROTOCOL, "an error that harbour does not document");
  e.code = json_text(told, S("code"));
  if (r->status < 400) return e; /* an error that calls itself a success, or a redirect */
  for (uint32_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    if (!equal(e.code, of(refusals[i].code))) continue;
    buf message = take(64);
    append(&message, S("harbour refused: "));
    append(&message, e.code);
    e.class = refusals[i].class;
    e.reason = refusals[i].reason;
    e.message = whole(&message);
    e.field = json_text(told, S("field"));
    e.words = json_text(told, S("message"));
  }
  return e;
}

/* read_blob takes a blob as a whole, or not at all: half an answer is as good as none, and one of many pages is none of
   Harbour's. */
static str read_blob(int32_t blob, int64_t most) {
  int64_t n = ph_blob_len(blob);
  if (n <= 0 || n > most) return (str){0, 0};
  buf b = take((uint32_t)n);
  if (overflow || ph_blob_read(blob, 0, b.p, b.cap) != n) return (str){0, 0};
  ph_blob_free(blob);
  b.n = b.cap;
  return whole(&b);
}

static void header(buf *request, str name, str value) {
  uint32_t at = open(request, 3);
  text(request, 1, name);
  text(request, 2, value);
  close(request, at);
}

static buf request_head(str method, str url, str key) {
  buf b = take(8 << 10);
  text(&b, 1, method);
  text(&b, 2, url);
  header(&b, S("Accept"), S("application/json"));
  if (key.n) {
    header(&b, S("Content-Type"), S("application/json"));
    header(&b, S("Idempotency-Key"), key);
  }
  uint32_t at = open(&b, 4); /* names the secret; the host puts the value into the header */
  number(&b, 1, AUTH_HEADER);
  text(&b, 3, S("api_key"));
  text(&b, 4, S("X-Harbour-Key"));
  close(&b, at);
  number(&b, 8, key.n ? EFFECT_MONEY : EFFECT_READ);
  return b;
}

/* send makes one call: with a key it writes, without one it asks. Once an answer has come, whatever keeps us from
   reading it is of class protocol, never an error of the host's about something else (no room, say): a class like
   limit would say that the call has had no effect. */
static response send(str method, str url, str key, str body) {
  response r = {.status = 0};
  int32_t blob = 0;
  buf head = request_head(method, url, key);
  if (overflow) {
    r.error = (error){.class = CLASS_INVALID_REQUEST, .message = S("the request is too long")};
    return r;
  }
  if (body.n) {
    blob = ph_blob_new(body.n);
    if (blob < 0 || ph_blob_write(blob, body.p, body.n) < 0) {
      r.error = host_error();
      return r;
    }
  }
  int32_t got = ph_http_send(head.p, head.n, blob);
  if (got < 0) {
    r.error = host_error();
    return r;
  }
  reader m = read_from(read_blob(got, 64 << 10));
  while (next(&m)) {
    if (m.field == 1) r.status = (int32_t)m.v;
    if (m.field == 3 && m.v) r.body = json_parse(read_blob((int32_t)m.v, 16 << 10));
  }
  r.error = m.bad || r.status == 0 ? FAILURE(CLASS_PROTOCOL, "the answer can't be read") : sort(&r);
  return r;
}

static str url_of(const config *c, str path, str id) {
  buf b = take(2 << 10);
  append(&b, c->base_url);
  append(&b, path);
  if (id.n) put(&b, '/');
  escaped(&b, id);
  return whole(&b);
}

/* ---- describe ---- */

static void operation(int op, int writes) {
  uint32_t at = open(&out, 4);
  number(&out, 1, op);
  if (writes) {
    number(&out, 2, IDEMPOTENCY_NATIVE);
    number(&out, 3, 24 * 3600 * 1000); /* Harbour remembers a key for a day */
    number(&out, 4, KEY_TEXT);
    number(&out, 7, 1);
  }
  close(&out, at);
}

static void egress(str method, str path, int reading) {
  uint32_t at = open(&out, 7);
  text(&out, 1, S("base_url"));
  text(&out, 2, method);
  text(&out, 3, path);
  number(&out, 4, reading);
  close(&out, at);
}

static int32_t describe(void) {
  uint32_t reply = open(&out, 2), at;
  text(&out, 1, S("harbour"));
  text(&out, 2, S("1.0.0"));
  text(&out, 3, S("Harbour Pay, in C"));
  operation(DESCRIBE, 0);
  operation(CHECK_CONFIG, 0);
  operation(CREATE, 1);
  operation(STATUS, 0);
  operation(REFUND, 1);
  operation(REFUND_STATUS, 0);
  number(&out, 5, FLOW_REDIRECT);
  at = open(&out, 6);
  text(&out, 1, CURRENCY);
  number(&out, 2, 1);
  number(&out, 3, LEAST);
  number(&out, 4, MOST);
  close(&out, at);
  egress(S("POST"), S("/v1/payments"), 0);
  egress(S("POST"), S("/v1/refunds"), 0);
  egress(S("GET"), S("/v1/payments"), 1);
  egress(S("GET"), S("/v1/refunds"), 1);
  at = open(&out, 8);
  text(&out, 1, S("api_key"));
  text(&out, 2, S("API key from the Harbour office"));
  number(&out, 3, 1);
  number(&out, 4, SLOT_HEADER);
  close(&out, at);
  number(&out, 12, 3000);  /* between two status calls for one payment */
  number(&out, 13, BATCH);
  number(&out, 14, 60000); /* a payment can be asked after a minute after it was made, at the latest */
  text(&out, 19, S("{\"type\":\"object\",\"properties\":"
                   "{\"merchant\":{\"type\":\"string\",\"pattern\":\"^[0-9]{8}$\"}},"
                   "\"required\":[\"merchant\"],\"additionalProperties\":false}"));
  close(&out, reply);
  return answer();
}

/* ---- check_config ---- */

/* The last digit of a merchant's number is a check digit (Luhn): what a schema can't say, and a slip of the operator's
   fingers that would otherwise be a stranger's account. */
static int good_merchant(str m) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < m.n; i++) {
    uint32_t digit = m.p[m.n - 1 - i] - '0';
    if (i % 2) digit = digit > 4 ? 2 * digit - 9 : 2 * digit;
    sum += digit;
  }
  return m.n == 8 && sum % 10 == 0;
}

static int32_t check_config(void) {
  config c;
  int32_t code = read_config(&c);
  if (code < 0) return code;
  if (!good_merchant(c.merchant)) {
    uint32_t at = open(&out, 6);
    text(&out, 1, S("settings.merchant"));
    text(&out, 2, S("is no merchant number: its last digit does not fit the others"));
    close(&out, at);
  }
  return answer();
}

/* ---- create ---- */

typedef struct {
  str key, order, description, return_url, fail_url, email, phone, locale;
  int64_t expires_ms;
  int options;
  money amount;
} create_request;

static int read_create(str input, create_request *q) {
  *q = (create_request){.options = 0};
  int ok = 1;
  reader r = read_from(input);
  while (next(&r)) {
    switch (r.field) {
      case 1: ok &= read_key(r.s, &q->key); break;
      case 3: q->order = r.s; break;
      case 4: ok &= read_money(r.s, &q->amount); break;
      case 5: q->description = r.s; break;
      case 6: q->return_url = r.s; break;
      case 7: q->fail_url = r.s; break;
      case 12: q->expires_ms = (int64_t)r.v; break;
      case 13: q->options = 1; break;
    }
  }
  return ok && !r.bad;
}

/* wrong_amount looks at what the host has looked at already, by our manifest. It costs a line, and nothing that
   Harbour can't carry leaves even if the manifest is changed one day. */
static int wrong_amount(money m) { return !equal(m.currency, CURRENCY) || m.minor < LEAST || m.minor > MOST; }

static str create_body(const config *c, const create_request *q) {
  buf b = take(64 << 10);
  json_string(&b, S("merchant"), c->merchant);
  json_string(&b, S("order"), q->order);
  json_decimal(&b, S("amount"), q->amount.minor, DECIMALS);
  json_string(&b, S("currency"), q->amount.currency);
  json_string_if(&b, S("description"), q->description);
  json_string_if(&b, S("return_url"), q->return_url);
  json_string_if(&b, S("fail_url"), q->fail_url);
  if (q->expires_ms) json_decimal(&b, S("expires"), q->expires_ms / 1000, 0);
  put(&b, '}');
  return whole(&b);
}

/* same_amount holds an answer against what was asked for. */
static error same_amount(json body, int64_t asked) {
  int64_t minor;
  if (!json_amount(body, S("amount"), DECIMALS, &minor)) return FAILURE(CLASS_PROTOCOL, "the answer has no amount");
  if (minor != asked || !equal(json_text(body, S("currency")), CURRENCY))
    return FAILURE(CLASS_INTEGRITY, "the answer is about another amount");
  return NO_ERROR;
}

static int32_t create(str input) {
  config c;
  create_request q;
  int32_t code = read_config(&c);
  if (code < 0) return code;
  if (!read_create(input, &q)) return BAD_ARGUMENT;
  if (wrong_amount(q.amount)) return refuse(S("amount"), S("harbour takes 0.100 to 100000.000 OMR"));
  if (q.options) return refuse(S("options"), S("harbour has no options"));

  response r = send(S("POST"), url_of(&c, S("/v1/payments"), (str){0, 0}), q.key, create_body(&c, &q));
  if (failed(&r.error)) return fail(r.error);
  str id = json_text(r.body, S("id")), page = json_text(r.body, S("page"));
  if (r.status != 201 || id.n == 0 || page.n == 0) return fail(FAILURE(CLASS_PROTOCOL, "the answer has no id or page"));
  error e = same_amount(r.body, q.amount.minor);
  if (failed(&e)) return fail(e);

  uint32_t result = open(&out, 3);
  number(&out, 1, APPLIED);
  text(&out, 2, id);
  uint32_t at = open(&out, 3);
  number(&out, 1, NEXT_REDIRECT);
  text(&out, 2, page);
  close(&out, at);
  close(&out, result);
  return answer();
}

/* ---- status and refund_status ---- */

typedef struct { const char *word; int status, outcome; } state;

/* A word that stands in no list is no news: the host gets it as text and moves nothing. */
static const state payment_states[] = {
  {"open", 2, 0}, {"processing", 3, 0}, {"paid", 5, 0}, {"failed", 6, 0}, {"expired", 8, 0}, {0, 0, 0}};
static const state refund_states[] = {
  {"pending", 1, ACCEPTED}, {"done", 2, APPLIED}, {"rejected", 3, DECLINED}, {0, 0, 0}};
static const state reasons[] = {
  {"no_funds", REASON_FUNDS, 0}, {"rejected", REASON_REJECTED, 0}, {"risk", REASON_RISK, 0},
  {"card", REASON_INSTRUMENT, 0}, {0, 0, 0}};

static const state *find(const state *list, str word) {
  while (list->word && !equal(of(list->word), word)) list++;
  return list; /* the last has no word and says nothing */
}

static int reason_of(json body) {
  str word = json_text(body, S("reason"));
  if (word.n == 0) return 0;
  int reason = find(reasons, word)->status;
  return reason ? reason : REASON_OTHER;
}

/* observe reads what Harbour tells of a payment or a refund; its errors say why that can't be believed. */
static error observe(json body, str id, int subject) {
  static const struct { const char *name; int field; } sums[] = {{"amount", 8}, {"paid", 9}, {"refunded", 10}};
  str word = json_text(body, S("state"));
  if (word.n == 0) return FAILURE(CLASS_PROTOCOL, "the answer has no state");
  if (!equal(json_text(body, S("id")), id)) return FAILURE(CLASS_INTEGRITY, "the answer is about another id");
  if (!equal(json_text(body, S("currency")), CURRENCY)) return FAILURE(CLASS_INTEGRITY, "the answer is not about OMR");

  uint32_t at = open(&out, 3);
  number(&out, 1, subject);
  if (subject == SUBJECT_PAYMENT) number(&out, 2, find(payment_states, word)->status);
  else number(&out, 3, find(refund_states, word)->status);
  text(&out, 5, id);
  text(&out, 7, word);
  for (int i = 0; i < (subject == SUBJECT_PAYMENT ? 3 : 1); i++) {
    int64_t minor;
    if (!json_amount(body, of(sums[i].name), DECIMALS, &minor)) return FAILURE(CLASS_PROTOCOL, "a sum is missing");
    write_money(sums[i].field, minor);
  }
  number(&out, 12, reason_of(body));
  close(&out, at);
  return NO_ERROR;
}

/* item answers for one reference. What goes wrong here is this item's own and spoils no other. */
static void item(const config *c, const ref *f, int subject) {
  uint32_t mark = room_used; /* each item has the room of the one before */
  str path = subject == SUBJECT_PAYMENT ? S("/v1/payments") : S("/v1/refunds");
  response r = send(S("GET"), url_of(c, path, f->provider_ref), (str){0, 0}, (str){0, 0});
  uint32_t at = open(&out, 4), before;
  text(&out, 1, f->id);
  before = out.n;
  if (!failed(&r.error)) {
    number(&out, 2, FOUND_OBSERVED);
    r.error = observe(r.body, f->provider_ref, subject);
    if (failed(&r.error)) out.n = before; /* half an observation is taken back */
  }
  if (r.error.class == CLASS_NOT_FOUND) number(&out, 2, FOUND_NOT_FOUND); /* by Harbour's code, not by a bare 404 */
  else if (failed(&r.error)) write_error(4, &r.error);
  close(&out, at);
  room_used = mark;
}

static int32_t status(str input, int subject) {
  config c;
  int32_t code = read_config(&c);
  if (code < 0) return code;
  reader r = read_from(input);
  while (next(&r)) {
    if (r.field != 1) continue;
    ref f = {{0, 0}, {0, 0}};
    if (!read_ref(r.s, &f)) return BAD_ARGUMENT;
    if (f.provider_ref.n) item(&c, &f, subject); /* Harbour finds by its own id only: without it, no information */
  }
  return r.bad ? BAD_ARGUMENT : answer();
}

/* ---- refund ---- */

typedef struct { str key; ref payment; money amount; } refund_request;

static int read_refund(str input, refund_request *q) {
  *q = (refund_request){.amount.minor = 0};
  int ok = 1;
  reader r = read_from(input);
  while (next(&r)) {
    switch (r.field) {
      case 1: ok &= read_key(r.s, &q->key); break;
      case 2: ok &= read_ref(r.s, &q->payment); break;
      case 4: ok &= read_money(r.s, &q->amount); break;
    }
  }
  return ok && !r.bad;
}

static str refund_body(const refund_request *q) {
  buf b = take(16 << 10);
  json_string(&b, S("payment"), q->payment.provider_ref);
  json_decimal(&b, S("amount"), q->amount.minor, DECIMALS);
  json_string(&b, S("currency"), q->amount.currency);
  put(&b, '}');
  return whole(&b);
}

static int32_t refund(str input) {
  config c;
  refund_request q;
  int32_t code = read_config(&c);
  if (code < 0) return code;
  if (!read_refund(input, &q)) return BAD_ARGUMENT;
  if (q.payment.provider_ref.n == 0) return refuse(S("payment"), S("harbour's id of the payment is not known"));
  if (!equal(q.amount.currency, CURRENCY) || q.amount.minor < 1) return refuse(S("amount"), S("must be above 0 OMR"));

  response r = send(S("POST"), url_of(&c, S("/v1/refunds"), (str){0, 0}), q.key, refund_body(&q));
  if (failed(&r.error)) return fail(r.error);
  str id = json_text(r.body, S("id")), word = json_text(r.body, S("state"));
  if (r.status != 201 || id.n == 0) return fail(FAILURE(CLASS_PROTOCOL, "the answer has no id"));
  error e = same_amount(r.body, q.amount.minor);
  if (failed(&e)) return fail(e);
  const state *known = find(refund_states, word);
  if (known->outcome == 0) return fail(FAILURE(CLASS_PROTOCOL, "the answer has no state that harbour documents"));

  uint32_t result = open(&out, 3);
  number(&out, 1, known->outcome);
  text(&out, 2, id);
  number(&out, 6, reason_of(r.body));
  close(&out, result);
  return answer();
}

/* ---- exports ---- */

PH_EXPORT(_initialize) void initialize(void) {}
PH_EXPORT(payhost_abi_v1) void marker(void) {}

PH_EXPORT(payhost_call) int32_t call(int32_t op, uint32_t input_len) {
  begin();
  out = take(256 << 10);
  buf input = take(input_len);
  if (overflow) return TOO_LARGE;
  if (input_len > 0 && ph_input(0, input.p, input_len) != (int32_t)input_len) return BAD_ARGUMENT;
  input.n = input_len;
  switch (op) {
    case DESCRIBE: return describe();
    case CHECK_CONFIG: return check_config();
    case CREATE: return create(whole(&input));
    case STATUS: return status(whole(&input), SUBJECT_PAYMENT);
    case REFUND: return refund(whole(&input));
    case REFUND_STATUS: return status(whole(&input), SUBJECT_REFUND);
  }
  return UNSUPPORTED;
}
