/* The wire format of payhost's messages: the part of protobuf that docs/abi.md describes. */
#pragma once
#include "bytes.h"

/* ---- writing ---- */

static void varint(buf *b, uint64_t v) {
  for (; v >= 0x80; v >>= 7) put(b, (uint8_t)v | 0x80);
  put(b, (uint8_t)v);
}

/* number and text leave zero out, as the format wants it. */
static void number(buf *b, int field, int64_t v) {
  if (v == 0) return;
  varint(b, (uint64_t)field << 3);
  varint(b, (uint64_t)v);
}

static void text(buf *b, int field, str s) {
  if (s.n == 0) return;
  varint(b, (uint64_t)field << 3 | 2);
  varint(b, s.n);
  append(b, s);
}

/* A nested message is written between open and close. Its length stands in front and is known only at the end, so
   close moves what was written and puts the length before it. */
static uint32_t open(buf *b, int field) {
  varint(b, (uint64_t)field << 3 | 2);
  return b->n;
}

static void close(buf *b, uint32_t from) {
  uint32_t n = b->n - from, before = b->n;
  varint(b, n); /* makes the room, and shows how much it is */
  uint32_t head = b->n - before;
  if (overflow) return;
  for (uint32_t i = n; i-- > 0;) b->p[from + head + i] = b->p[from + i];
  buf length = {b->p + from, 0, head};
  varint(&length, n);
}

/* ---- reading ---- */

typedef struct {
  const uint8_t *p, *end;
  int bad;         /* the message is malformed; next gives nothing more */
  uint32_t field;  /* of what next has read: the number, */
  uint64_t v;      /* its value if it is a number, */
  str s;           /* its bytes if it is a text or a message */
} reader;

static reader read_from(str s) { return (reader){.p = s.p, .end = s.p + s.n}; }

static uint64_t read_varint(reader *r) {
  uint64_t v = 0;
  for (int shift = 0; shift < 64 && r->p < r->end; shift += 7) {
    uint8_t c = *r->p++;
    v |= (uint64_t)(c & 0x7f) << shift;
    if (c < 0x80) return v;
  }
  r->bad = 1;
  return 0;
}

/* next reads one field; 0 at the end or after a mistake. Who calls it skips the numbers that it does not know. */
static int next(reader *r) {
  if (r->bad || r->p == r->end) return 0;
  uint64_t tag = read_varint(r), n = 0;
  r->field = (uint32_t)(tag >> 3);
  r->v = 0;
  r->s = (str){0, 0};
  switch (tag & 7) {
    case 0: r->v = read_varint(r); return !r->bad;
    case 1: n = 8; break;
    case 2: n = read_varint(r); break;
    case 5: n = 4; break;
    default: r->bad = 1;
  }
  if (r->bad || n > (uint64_t)(r->end - r->p)) {
    r->bad = 1;
    return 0;
  }
  r->s = (str){r->p, (uint32_t)n};
  r->p += n;
  return 1;
}
