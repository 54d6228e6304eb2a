/* Bytes: slices, buffers that fill up, and the room that one call has. There is no libc here. */
#pragma once
#include <stdint.h>

typedef struct { const uint8_t *p; uint32_t n; } str; /* a slice of somebody's bytes */
#define S(text) ((str){(const uint8_t *)(text), sizeof(text) - 1})

typedef struct { uint8_t *p; uint32_t n, cap; } buf;  /* grows by appending, up to cap */

/* Everything that a call builds or reads lies in this room. begin() empties it, so nothing of one call reaches the
   next: the host may give us memory in any state that an earlier call left. */
static uint8_t room[1 << 20];
static uint32_t room_used;
static int overflow; /* something did not fit: nothing that was built may be sent or replied */

static void begin(void) {
  room_used = 0;
  overflow = 0;
}

static buf take(uint32_t cap) {
  if (cap > sizeof room - room_used) {
    overflow = 1;
    cap = 0;
  }
  buf b = {room + room_used, 0, cap};
  room_used += cap;
  return b;
}

static str whole(const buf *b) { return (str){b->p, b->n}; }

static void put(buf *b, uint8_t c) {
  if (b->n < b->cap) b->p[b->n++] = c;
  else overflow = 1;
}

static void append(buf *b, str s) {
  for (uint32_t i = 0; i < s.n; i++) put(b, s.p[i]);
}

static void decimal(buf *b, uint64_t v) {
  if (v > 9) decimal(b, v / 10);
  put(b, '0' + v % 10);
}

static int equal(str a, str b) {
  if (a.n != b.n) return 0;
  for (uint32_t i = 0; i < a.n; i++)
    if (a.p[i] != b.p[i]) return 0;
  return 1;
}

static str of(const char *s) {
  uint32_t n = 0;
  while (s[n]) n++;
  return (str){(const uint8_t *)s, n};
}

static int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* escaped appends one piece of a path. */
static void escaped(buf *b, str s) {
  for (uint32_t i = 0; i < s.n; i++) {
    uint8_t c = s.p[i];
    if (is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_') {
      put(b, c);
      continue;
    }
    put(b, '%');
    put(b, "0123456789ABCDEF"[c >> 4]);
    put(b, "0123456789ABCDEF"[c & 15]);
  }
}
