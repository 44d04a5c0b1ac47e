// Compiled with optimisation, unlike the other images: the instructions of a usual C program.
#include "mix.h"

// ---- check sum: the reflected polynomial 0x82f63b78, bit by bit
// -----------------------------------
static uint32_t crc_word(uint32_t crc, uint32_t word) {
  crc ^= word;
  for (int bit = 0; bit < 32; ++bit) {
    const uint32_t low = crc & 1;
    crc >>= 1;
    if (low) crc ^= 0x82f63b78;
  }
  return crc;
}

static uint32_t next_random(uint32_t* state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

// ---- list: built, reversed, sorted by merging, searched
// -------------------------------------------
enum { kNodes = 512 };
struct node {
  struct node* next;
  uint32_t key;
  uint32_t order;
};

static struct node* build_list(struct node* nodes, uint32_t seed) {
  for (unsigned i = 0; i < kNodes; ++i) {
    nodes[i].next = i + 1 < kNodes ? &nodes[i + 1] : 0;
    nodes[i].key = next_random(&seed) & 0x3ff;
    nodes[i].order = i;
  }
  return nodes;
}

static struct node* reverse_list(struct node* list) {
  struct node* done = 0;
  while (list) {
    struct node* next = list->next;
    list->next = done;
    done = list;
    list = next;
  }
  return done;
}

static struct node* merge(struct node* a, struct node* b) {
  struct node* head = 0;
  struct node** tail = &head;
  while (a && b) {
    struct node** smaller = b->key < a->key ? &b : &a;
    *tail = *smaller;
    tail = &(*smaller)->next;
    *smaller = *tail;
  }
  *tail = a ? a : b;
  return head;
}

static struct node* sort_list(struct node* list) {
  struct node* runs[16] = {0};
  while (list) {
    struct node* run = list;
    list = list->next;
    run->next = 0;
    unsigned i = 0;
    for (; runs[i]; ++i) {
      run = merge(runs[i], run);
      runs[i] = 0;
    }
    runs[i] = run;
  }
  struct node* sorted = 0;
  for (unsigned i = 0; i < 16; ++i) {
    if (runs[i]) sorted = merge(runs[i], sorted);
  }
  return sorted;
}

static uint32_t list_work(struct node* nodes, uint32_t seed, uint32_t crc) {
  struct node* list = sort_list(reverse_list(build_list(nodes, seed)));
  for (uint32_t wanted = 0; wanted < 64; ++wanted) {
    const struct node* n = list;
    while (n && n->key < wanted * 16) n = n->next;
    crc = crc_word(crc, n ? n->order << 16 | n->key : wanted);
  }
  return crc;
}

// ---- matrix: product of 16-bit matrices, with a saturated and shifted sum
// ------------------------
enum { kSide = 24 };
struct matrices {
  int16_t a[kSide][kSide], b[kSide][kSide];
  int32_t c[kSide][kSide];
};

static uint32_t matrix_work(struct matrices* m, uint32_t seed, uint32_t crc) {
  for (unsigned i = 0; i < kSide; ++i) {
    for (unsigned j = 0; j < kSide; ++j) {
      m->a[i][j] = (int16_t)next_random(&seed);
      m->b[i][j] = (int16_t)(next_random(&seed) >> 7);
    }
  }
  for (unsigned i = 0; i < kSide; ++i) {
    for (unsigned j = 0; j < kSide; ++j) {
      int32_t sum = 0;
      for (unsigned k = 0; k < kSide; ++k) sum += (m->a[i][k] * m->b[k][j]) >> 6;
      m->c[i][j] = sum;
    }
  }
  for (unsigned i = 0; i < kSide; ++i) crc = crc_word(crc, (uint32_t)m->c[i][kSide - 1 - i]);
  return crc;
}

// ---- state machine: which sort of number each word of a text is
// -----------------------------------
enum state { kStart, kSign, kInteger, kPoint, kFraction, kExponent, kPower, kBad, kStates };

static enum state step(enum state s, char c) {
  const int digit = c >= '0' && c <= '9';
  const int sign = c == '+' || c == '-';
  switch (s) {
    case kStart:
      return digit ? kInteger : sign ? kSign : c == '.' ? kPoint : kBad;
    case kSign:
      return digit ? kInteger : c == '.' ? kPoint : kBad;
    case kInteger:
      return digit ? kInteger : c == '.' ? kFraction : c == 'e' ? kExponent : kBad;
    case kPoint:
      return digit ? kFraction : kBad;
    case kFraction:
      return digit ? kFraction : c == 'e' ? kExponent : kBad;
    case kExponent:
      return digit || sign ? kPower : kBad;
    case kPower:
      return digit ? kPower : kBad;
    default:
      return kBad;
  }
}

static const char text[] =
    "12 -7 3.25 .5 1e9 abc +4.75e-3 0 99999 -.e 1.2.3 6e 8e+ -0.001 42x 5000 31.4159e-1 7 -- e7 "
    "12e12 ";

static uint32_t state_work(uint32_t seed, uint32_t crc) {
  uint32_t count[kStates] = {0};
  for (unsigned round = 0; round < 8; ++round) {
    enum state s = kStart;
    for (const char* p = text; *p; ++p) {
      if (*p == ' ') {
        ++count[s];
        s = kStart;
      } else {
        const int spoil = (next_random(&seed) & 31) == 0;
        s = step(s, spoil ? 'x' : *p);
      }
    }
  }
  for (unsigned i = 0; i < kStates; ++i) crc = crc_word(crc, count[i]);
  return crc;
}

uint64_t bench_mix(uint64_t rounds, void* buffer) {
  struct node* nodes = buffer;
  struct matrices* m = (struct matrices*)((char*)buffer + kNodes * sizeof(struct node));
  uint32_t crc = ~0u;
  for (uint64_t round = 1; round <= rounds; ++round) {
    const uint32_t seed = (uint32_t)round * 2654435761u | 1;
    crc = list_work(nodes, seed, crc);
    crc = matrix_work(m, seed ^ crc, crc);
    crc = state_work(seed, crc);
  }
  return crc;
}
