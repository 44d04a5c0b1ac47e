// A mix of everyday work: a linked list, a matrix, a state machine, a check sum over the results.
#pragma once
#include <stdint.h>

uint64_t bench_mix(uint64_t rounds, void* buffer);
