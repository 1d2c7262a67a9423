/* Copyright (c) 2026, gpuwright contributors
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A loop pinned to one CPU that does the same work again and again and notes how long each piece took.
 *
 * jitter CPU PIECE SECONDS: prints the nanoseconds of each piece, a line each, and first one line with what the
 * scheduler says of the whole: nanoseconds that passed, nanoseconds runnable but waiting, involuntary switches.
 * jitter CPU 0 0: prints how large PIECE must be to take a millisecond when nobody disturbs.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define MOST 1000000
#define MILLISECOND 1000000

static uint32_t took[MOST];
static volatile uint64_t kept;

static int64_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static int64_t work(long piece)
{
    int64_t start = now();
    uint64_t word = 88172645463325252ULL;
    for (long i = 0; i < piece; i++) {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
    }
    kept = word;
    return now() - start;
}

static long long waited(void)
{
    unsigned long long ran = 0, wait = 0;
    FILE *file = fopen("/proc/self/schedstat", "r");
    if (file) {
        if (fscanf(file, "%llu %llu", &ran, &wait) != 2)
            wait = 0;
        fclose(file);
    }
    return (long long)wait;
}

static long switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nivcsw;
}

static int calibrate(void)
{
    const long piece = 20000;
    int64_t best = INT64_MAX;
    for (int i = 0; i < 2000; i++) {
        int64_t one = work(piece);
        if (one < best)
            best = one;
    }
    printf("%lld\n", (long long)(piece * (double)MILLISECOND / best));
    return 0;
}

int main(int argc, char **argv)
{
    cpu_set_t only;
    long piece, count = 0;
    if (argc != 4)
        return 2;
    CPU_ZERO(&only);
    CPU_SET(atoi(argv[1]), &only);
    if (sched_setaffinity(0, sizeof only, &only)) {
        perror("jitter: pin");
        return 1;
    }
    piece = atol(argv[2]);
    if (piece == 0)
        return calibrate();
    for (long i = 0; i < MOST; i++)
        took[i] = 0; /* so that no page is missing later */
    long long wait = waited();
    long pushed = switches();
    int64_t start = now(), end = start + atoi(argv[3]) * 1000000000LL;
    while (count < MOST && now() < end)
        took[count++] = (uint32_t)work(piece);
    printf("%lld %lld %ld\n", (long long)(now() - start), waited() - wait, switches() - pushed);
    for (long i = 0; i < count; i++)
        printf("%u\n", took[i]);
    return 0;
}
