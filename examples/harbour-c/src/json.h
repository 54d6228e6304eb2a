/* JSON without a tree: a value is the piece of text it stands in. json_parse looks at the whole text once, strictly;
   the other functions then walk over text that is known to be good. Numbers stay text: no float touches an amount. */
#pragma once
#include "bytes.h"

typedef str json; /* n is 0 where there is no value */

enum { JSON_DEPTH = 32 };

/* ---- the grammar: each function moves s behind what it reads, and says whether it was there ---- */

static int j_char(str *s, uint8_t c) {
  if (s->n == 0 || *s->p != c) return 0;
  s->p++, s->n--;
  return 1;
}

static void j_space(str *s) {
  while (j_char(s, ' ') || j_char(s, '\n') || j_char(s, '\r') || j_char(s, '\t')) {}
}

static int j_word(str *s, str word) {
  for (uint32_t i = 0; i < word.n; i++)
    if (!j_char(s, word.p[i])) return 0;
  return 1;
}

static int j_digits(str *s) {
  int any = 0;
  while (s->n && is_digit(*s->p)) s->p++, s->n--, any = 1;
  return any;
}

static int j_number(str *s) {
  j_char(s, '-');
  if (!j_char(s, '0') && !j_digits(s)) return 0;
  if (j_char(s, '.') && !j_digits(s)) return 0;
  if (!j_char(s, 'e') && !j_char(s, 'E')) return 1;
  if (!j_char(s, '+')) j_char(s, '-');
  return j_digits(s);
}

/* j_hex4 reads the four digits behind \u; -1 if they are not there. */
static int32_t j_hex4(str *s) {
  int32_t v = 0;
  for (int i = 0; i < 4; i++) {
    if (s->n == 0) return -1;
    uint8_t c = *s->p, low = c | 0x20;
    if (is_digit(c)) v = v << 4 | (c - '0');
    else if (low >= 'a' && low <= 'f') v = v << 4 | (low - 'a' + 10);
    else return -1;
    s->p++, s->n--;
  }
  return v;
}

/* j_rune reads one character of a string, escaped or not; -1 if it is malformed. Strings go into messages, whose texts
   the host refuses if they are no UTF-8: so what is no character ends here. */
static int32_t j_escape(str *s) {
  static const char short_form[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
  for (int i = 0; short_form[i]; i += 2)
    if (j_char(s, short_form[i])) return short_form[i + 1];
  if (!j_char(s, 'u')) return -1;
  int32_t v = j_hex4(s);
  if (v < 0xd800 || v > 0xdfff) return v;
  if (v > 0xdbff || !j_word(s, S("\\u"))) return -1;
  int32_t low = j_hex4(s);
  if (low < 0xdc00 || low > 0xdfff) return -1;
  return 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
}

static int32_t j_rune(str *s) {
  static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
  if (s->n == 0) return -1;
  uint8_t c = *s->p++;
  s->n--;
  if (c < 0x20) return -1;
  if (c == '\\') return j_escape(s);
  if (c < 0x80) return c;
  int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
  if (c < 0xc0 || c > 0xf7) return -1;
  int32_t v = c & (0x3f >> more);
  for (int i = 0; i < more; i++) {
    if (s->n == 0 || (*s->p & 0xc0) != 0x80) return -1;
    v = v << 6 | (*s->p++ & 0x3f);
    s->n--;
  }
  return v < least[more] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff) ? -1 : v;
}

static int j_string(str *s) {
  if (!j_char(s, '"')) return 0;
  while (!j_char(s, '"'))
    if (j_rune(s) < 0) return 0;
  return 1;
}

static int j_value(str *s, json *v, int depth);

/* j_items reads the inside of an object or an array, up to the closing sign. */
static int j_items(str *s, uint8_t end, int depth) {
  json v;
  j_space(s);
  if (j_char(s, end)) return 1;
  do {
    if (end == '}') {
      j_space(s);
      if (!j_string(s)) return 0;
      j_space(s);
      if (!j_char(s, ':')) return 0;
    }
    if (!j_value(s, &v, depth)) return 0;
  } while (j_char(s, ','));
  return j_char(s, end);
}

/* j_value reads a value with the space around it, and gives the value without. */
static int j_value(str *s, json *v, int depth) {
  j_space(s);
  const uint8_t *from = s->p;
  if (s->n == 0 || depth == 0) return 0;
  int ok;
  switch (*from) {
    case '{': ok = j_char(s, '{') && j_items(s, '}', depth - 1); break;
    case '[': ok = j_char(s, '[') && j_items(s, ']', depth - 1); break;
    case '"': ok = j_string(s); break;
    case 't': ok = j_word(s, S("true")); break;
    case 'f': ok = j_word(s, S("false")); break;
    case 'n': ok = j_word(s, S("null")); break;
    default: ok = j_number(s);
  }
  *v = (json){from, (uint32_t)(s->p - from)};
  j_space(s);
  return ok;
}

/* ---- reading ---- */

/* json_parse gives the object that is the whole text; nothing if it is anything else. A byte order mark before it says
   nothing, and some gateways put one there. */
static json json_parse(str s) {
  json v;
  j_word(&s, S("\xef\xbb\xbf"));
  if (!j_value(&s, &v, JSON_DEPTH) || s.n != 0 || *v.p != '{') return (json){0, 0};
  return v;
}

/* json_get gives a member of an object. One that stands there twice could be read in two ways, so it is read in none;
   null is no value either. */
static json json_get(json object, str name) {
  json found = {0, 0}, v;
  int times = 0;
  if (object.n == 0 || *object.p != '{') return found;
  str s = {object.p + 1, object.n - 1};
  j_space(&s);
  while (s.n > 1) {
    j_space(&s);
    str key = s;
    j_string(&s);
    key = (str){key.p + 1, (uint32_t)(s.p - key.p) - 2};
    j_space(&s);
    j_char(&s, ':');
    j_value(&s, &v, JSON_DEPTH);
    j_char(&s, ',');
    if (equal(key, name)) found = v, times++;
  }
  return times == 1 && *found.p != 'n' ? found : (json){0, 0};
}

static void utf8(buf *b, int32_t c) {
  if (c < 0x80) {
    put(b, c);
    return;
  }
  int more = c >= 0x10000 ? 3 : c >= 0x800 ? 2 : 1;
  put(b, (uint8_t)(0xff00 >> (more + 1)) | c >> (6 * more));
  while (more-- > 0) put(b, 0x80 | (c >> (6 * more) & 0x3f));
}

static int j_is_number(json v) { return v.n && (*v.p == '-' || is_digit(*v.p)); }

/* json_text gives a member that is a string, or a number as it was written: an id of digits is told in both ways by
   providers that change their library one day. Empty for anything else. */
static str json_text(json object, str name) {
  json v = json_get(object, name);
  if (j_is_number(v)) return v;
  if (v.n < 2 || *v.p != '"') return (str){0, 0};
  str s = {v.p + 1, v.n - 2};
  buf out = take(s.n); /* unescaped it is never longer */
  while (s.n > 0) utf8(&out, j_rune(&s));
  return whole(&out);
}

/* json_amount reads a member that is an amount in major units into minor ones, exactly: 1.25 with three decimals is
   1250. It may stand in quotes. It is refused if it is no number, is negative, has an exponent, or has more decimals
   than the currency. */
static int json_amount(json object, str name, int decimals, int64_t *minor) {
  str v = json_text(object, name), rest = v;
  int seen = -1; /* digits behind the point; -1 before it */
  *minor = 0;
  if (v.n > 15 || !j_number(&rest) || rest.n != 0) return 0; /* fifteen digits are far below what 64 bits hold */
  for (uint32_t i = 0; i < v.n; i++) {
    if (v.p[i] == '.' && seen < 0) {
      seen = 0;
      continue;
    }
    if (!is_digit(v.p[i]) || seen == decimals) return 0;
    *minor = *minor * 10 + (v.p[i] - '0');
    if (seen >= 0) seen++;
  }
  for (seen = seen < 0 ? 0 : seen; seen < decimals; seen++) *minor *= 10;
  return 1;
}

/* ---- writing: members of one object; the first opens it, who writes puts the } behind the last ---- */

static void json_name(buf *b, str name) {
  put(b, b->n ? ',' : '{');
  put(b, '"');
  append(b, name);
  append(b, S("\":"));
}

static void json_string(buf *b, str name, str s) {
  json_name(b, name);
  put(b, '"');
  for (uint32_t i = 0; i < s.n; i++) {
    uint8_t c = s.p[i];
    if (c < 0x20) {
      append(b, S("\\u00"));
      put(b, '0' + (c >> 4));
      put(b, "0123456789abcdef"[c & 15]);
      continue;
    }
    if (c == '"' || c == '\\') put(b, '\\');
    put(b, c);
  }
  put(b, '"');
}

/* json_string_if leaves the member out when there is nothing to say. */
static void json_string_if(buf *b, str name, str s) {
  if (s.n) json_string(b, name, s);
}

/* json_decimal writes minor units as a number with so many decimals, from whole numbers only. */
static void json_decimal(buf *b, str name, int64_t minor, int decimals) {
  uint64_t unit = 1, v = (uint64_t)minor;
  for (int i = 0; i < decimals; i++) unit *= 10;
  json_name(b, name);
  decimal(b, v / unit);
  if (decimals) put(b, '.');
  for (v %= unit; decimals-- > 0; v %= unit) {
    unit /= 10;
    put(b, '0' + v / unit);
  }
}
