/* The work of package benchwork as a payhost plugin in C, on the headers of examples/harbour-c. It does what
   internal/benchwork/plugin does in Go, and only create: it is for the benchmark of the engine. */
#include "bytes.h"
#include "json.h"
#include "payhost.h"
#include "wire.h"

enum { CREATE = 4 };
enum { BAD_ARGUMENT = -1, TOO_LARGE = -2, UNSUPPORTED = -8 };
enum { APPLIED = 3, NEXT_REDIRECT = 2, SUBJECT_PAYMENT = 1, AUTH_BEARER = 2, EFFECT_MONEY = 2 };
enum { PENDING = 2, AUTHORIZED = 4, SUCCEEDED = 5, FAILED = 6, CANCELED = 7 };
enum { LINES = 16 };

typedef struct { str name; int64_t quantity, price; } line;
typedef struct {
  str key, payment, order, currency, description, return_url, fail_url, notification_url, name, email, phone, locale;
  str capture, method, ip, descriptor;
  int64_t amount;
  line lines[LINES];
  int n;
} request;

/* ---- the request ---- */

static void read_money(str message, int64_t *minor, str *currency) {
  reader r = read_from(message);
  while (next(&r)) {
    if (r.field == 1) *minor = (int64_t)r.v;
    if (r.field == 2) *currency = r.s;
  }
}

/* read_texts reads the first three fields of a message that has only texts. */
static void read_texts(str message, str *first, str *second, str *third) {
  reader r = read_from(message);
  while (next(&r)) {
    if (r.field == 1) *first = r.s;
    if (r.field == 2) *second = r.s;
    if (r.field == 3) *third = r.s;
  }
}

static void read_line(str message, line *l) {
  str currency;
  reader r = read_from(message);
  while (next(&r)) {
    if (r.field == 1) l->name = r.s;
    if (r.field == 2) l->quantity = (int64_t)r.v;
    if (r.field == 3) read_money(r.s, &l->price, &currency);
  }
}

static void read_option(str message, request *q) {
  str name = {0, 0}, value = {0, 0}, none;
  read_texts(message, &name, &value, &none);
  if (equal(name, S("capture_method"))) q->capture = value;
  if (equal(name, S("payment_method"))) q->method = value;
  if (equal(name, S("client_ip"))) q->ip = value;
  if (equal(name, S("statement_descriptor"))) q->descriptor = value;
}

static int read_request(str input, request *q) {
  str none;
  reader r = read_from(input);
  while (next(&r)) {
    switch (r.field) {
      case 1: read_texts(r.s, &none, &q->key, &none); break;
      case 2: q->payment = r.s; break;
      case 3: q->order = r.s; break;
      case 4: read_money(r.s, &q->amount, &q->currency); break;
      case 5: q->description = r.s; break;
      case 6: q->return_url = r.s; break;
      case 7: q->fail_url = r.s; break;
      case 8: q->notification_url = r.s; break;
      case 9: read_texts(r.s, &q->name, &q->email, &q->phone); break;
      case 10:
        if (q->n == LINES) return 0;
        read_line(r.s, &q->lines[q->n++]);
        break;
      case 11: q->locale = r.s; break;
      case 13: read_option(r.s, q); break;
    }
  }
  return !r.bad;
}

/* ---- the form ---- */

static void form_escaped(buf *b, str s) {
  for (uint32_t i = 0; i < s.n; i++) {
    uint8_t c = s.p[i];
    if (is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || c == '~') {
      put(b, c);
    } else if (c == ' ') {
      put(b, '+');
    } else {
      put(b, '%');
      put(b, "0123456789ABCDEF"[c >> 4]);
      put(b, "0123456789ABCDEF"[c & 15]);
    }
  }
}

static void key(buf *b, str name) {
  if (b->n) put(b, '&');
  form_escaped(b, name);
  put(b, '=');
}

static void add(buf *b, str name, str value) {
  key(b, name);
  form_escaped(b, value);
}

static void line_key(buf *b, int i, str name) {
  append(b, S("&items%5B"));
  decimal(b, i);
  append(b, S("%5D%5B"));
  append(b, name);
  append(b, S("%5D="));
}

static str form(const request *q) {
  buf b = take(16 << 10);
  key(&b, S("amount"));
  decimal(&b, q->amount);
  add(&b, S("currency"), q->currency);
  add(&b, S("capture_method"), q->capture);
  add(&b, S("payment_method"), q->method);
  add(&b, S("client_ip"), q->ip);
  add(&b, S("statement_descriptor"), q->descriptor);
  add(&b, S("return_url"), q->return_url);
  add(&b, S("cancel_url"), q->fail_url);
  add(&b, S("notification_url"), q->notification_url);
  add(&b, S("description"), q->description);
  add(&b, S("locale"), q->locale);
  add(&b, S("metadata[payment_id]"), q->payment);
  add(&b, S("metadata[order_id]"), q->order);
  add(&b, S("customer[name]"), q->name);
  add(&b, S("customer[email]"), q->email);
  add(&b, S("customer[phone]"), q->phone);
  for (int i = 0; i < q->n; i++) {
    line_key(&b, i, S("name"));
    form_escaped(&b, q->lines[i].name);
    line_key(&b, i, S("quantity"));
    decimal(&b, q->lines[i].quantity);
    line_key(&b, i, S("unit_amount"));
    decimal(&b, q->lines[i].price);
  }
  return whole(&b);
}

/* ---- the call ---- */

static void header(buf *b, str name, str value) {
  uint32_t at = open(b, 3);
  text(b, 1, name);
  text(b, 2, value);
  close(b, at);
}

static str base_url(void) {
  buf b = take(1 << 10);
  int32_t n = ph_config(b.p, b.cap);
  str url = {0, 0}, none;
  if (n > 0 && (uint32_t)n <= b.cap) read_texts((str){b.p, (uint32_t)n}, &none, &url, &none);
  return url;
}

static str read_blob(int32_t blob) {
  int64_t n = ph_blob_len(blob);
  buf b = take(n > 0 && n < 1 << 16 ? (uint32_t)n : 0);
  if (b.cap == 0 || ph_blob_read(blob, 0, b.p, b.cap) != n) return (str){0, 0};
  ph_blob_free(blob);
  return (str){b.p, b.cap};
}

/* send returns the answer's body if its status is 200. */
static json send(const request *q) {
  buf head = take(4 << 10), url = take(1 << 10);
  append(&url, base_url());
  append(&url, S("/v1/payments"));
  text(&head, 1, S("POST"));
  text(&head, 2, whole(&url));
  header(&head, S("Content-Type"), S("application/x-www-form-urlencoded"));
  header(&head, S("Accept"), S("application/json"));
  header(&head, S("Idempotency-Key"), q->key);
  uint32_t at = open(&head, 4);
  number(&head, 1, AUTH_BEARER);
  text(&head, 3, S("api_key"));
  close(&head, at);
  number(&head, 8, EFFECT_MONEY);
  str body = form(q);
  int32_t blob = ph_blob_new(body.n);
  if (overflow || blob < 0 || ph_blob_write(blob, body.p, body.n) < 0) return (json){0, 0};
  int32_t got = ph_http_send(head.p, head.n, blob), status = 0, answer = 0;
  if (got < 0) return (json){0, 0};
  reader r = read_from(read_blob(got));
  while (next(&r)) {
    if (r.field == 1) status = (int32_t)r.v;
    if (r.field == 3) answer = (int32_t)r.v;
  }
  return status == 200 ? json_parse(read_blob(answer)) : (json){0, 0};
}

static int status_of(str word) {
  if (equal(word, S("requires_action"))) return PENDING;
  if (equal(word, S("requires_capture"))) return AUTHORIZED;
  if (equal(word, S("succeeded"))) return SUCCEEDED;
  if (equal(word, S("canceled"))) return CANCELED;
  return FAILED;
}

static int32_t create(str input) {
  static request q;
  q = (request){.n = 0};
  if (!read_request(input, &q)) return BAD_ARGUMENT;
  json answer = send(&q);
  int64_t amount, expires;
  if (answer.n == 0 || !json_amount(answer, S("amount"), 0, &amount) || !json_amount(answer, S("expires_at"), 0, &expires))
    return UNSUPPORTED;
  str id = json_text(answer, S("id")), word = json_text(answer, S("status"));
  buf out = take(4 << 10);
  uint32_t result = open(&out, 3), at;
  number(&out, 1, APPLIED);
  text(&out, 2, id);
  at = open(&out, 3);
  number(&out, 1, NEXT_REDIRECT);
  text(&out, 2, json_text(json_get(answer, S("next_action")), S("redirect_url")));
  close(&out, at);
  number(&out, 5, expires * 1000);
  at = open(&out, 9);
  number(&out, 1, SUBJECT_PAYMENT);
  number(&out, 2, status_of(word));
  text(&out, 5, id);
  text(&out, 7, word);
  uint32_t money = open(&out, 8);
  number(&out, 1, amount);
  text(&out, 2, json_text(answer, S("currency")));
  close(&out, money);
  close(&out, at);
  close(&out, result);
  return overflow ? TOO_LARGE : ph_reply(out.p, out.n);
}

/* ---- exports ---- */

PH_EXPORT(_initialize) void initialize(void) {}
PH_EXPORT(payhost_abi_v1) void marker(void) {}

PH_EXPORT(payhost_call) int32_t call(int32_t op, uint32_t input_len) {
  begin();
  if (op != CREATE) return UNSUPPORTED;
  buf input = take(input_len);
  if (overflow || ph_input(0, input.p, input_len) != (int32_t)input_len) return BAD_ARGUMENT;
  return create((str){input.p, input_len});
}
