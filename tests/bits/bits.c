/* bits.c: every kernel of every instruction set against the reference: equal to the bit, and nothing else touched.
 *
 *     cc -std=c11 -O3 -ffp-contract=off -pthread -I csrc -o bits tests/bits/bits.c tests/bits/bits_f32.c \
 *         tests/bits/bits_f64.c $(find csrc/reference -name 'reference_f*.c') $(find csrc/catalogue csrc/runtime csrc/isa -name '*.c') -lm
 *     ./bits [brief | quick | full [ISA | all [SEED]]]
 *
 * Each operand lies against a page that faults when it is touched, once at its end and once at its front; what else is
 * around it must keep its bytes, and an input its values. Offsets from the page count whole elements: C allows no other
 * address for a float, and the border copies what lies elsewhere. What is large runs on 1, 2, 3, 5 and 8 threads.
 *
 * brief and quick take a sample of the sizes, offsets and products (seconds, a minute), full takes all (an hour).
 * The same seed tries the same numbers. Prints each difference; exits with 1 if there is one, or after a fault.
 * Needs POSIX (mmap) and nothing else: it runs under an emulator too.
 */
#define _DEFAULT_SOURCE
#include "bits.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ISAS = 16 };
bool full;
static bool brief;
const mlp_isa *isas_to_try[MOST_ISAS + 1];

/* ----------------------------------------------------------------------------------------- random numbers: splitmix64 */

static uint64_t random_state;

uint64_t random_bits(void) {
    uint64_t x = random_state += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

ptrdiff_t random_below(ptrdiff_t end) { return (ptrdiff_t)(random_bits() % (uint64_t)end); }

bool chosen(ptrdiff_t one_in) { return full || random_below(brief ? 8 * one_in : one_in) == 0; }

/* -------------------------------------------------------------------------------------------- memory with guard pages */

enum { REGION_BYTES = (LARGEST_OPERAND + 8) * 8, WATCHED_BYTES = 256 };

static struct {
    unsigned char *begin, *end;    /* the pages before and after fault */
    unsigned char *operand, *rest; /* where the operand begins and ends */
} regions[OPERANDS];
static unsigned char untouched[WATCHED_BYTES]; /* what `place` leaves around an operand */

static void make_regions(void) {
    memset(untouched, 0xc3, sizeof untouched);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (REGION_BYTES + page - 1) / page * page;
    for (int i = 0; i < OPERANDS; i++) {
        unsigned char *memory = mmap(NULL, size + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) ||
            mprotect(memory + page + size, page, PROT_NONE)) {
            perror("bits: guard pages");
            exit(2);
        }
        regions[i].begin = memory + page;
        regions[i].end = memory + page + size;
    }
}

/* How many bytes of region i before and after its operand are watched. */
static size_t watched_before(int i) {
    size_t bytes = (size_t)(regions[i].operand - regions[i].begin);
    return bytes < WATCHED_BYTES ? bytes : WATCHED_BYTES;
}

static size_t watched_after(int i) {
    size_t bytes = (size_t)(regions[i].end - regions[i].rest);
    return bytes < WATCHED_BYTES ? bytes : WATCHED_BYTES;
}

void *place(int i, size_t bytes, guarded_side side, size_t offset) {
    regions[i].operand = side == FRONT ? regions[i].begin + offset : regions[i].end - offset - bytes;
    regions[i].rest = regions[i].operand + bytes;
    memcpy(regions[i].operand - watched_before(i), untouched, watched_before(i));
    memcpy(regions[i].rest, untouched, watched_after(i));
    return regions[i].operand;
}

bool surroundings_intact(int i) {
    return memcmp(regions[i].operand - watched_before(i), untouched, watched_before(i)) == 0 &&
           memcmp(regions[i].rest, untouched, watched_after(i)) == 0;
}

/* ------------------------------------------------------------------------------------------------------- the report */

enum { MOST_REPORTED = 20 };

static call now;
static long calls, differences;
static long long compared;

void begin_call(const call *next) {
    now = *next;
    calls++;
}

void count_compared(ptrdiff_t numbers) { compared += numbers; }

static void print_call(void) {
    printf("%s float%d %s%s%s n %td in %td out %td, %d threads, operands %d elements from the guard page %s them",
           now.isa, now.bits, now.kernel, *now.variant ? " " : "", now.variant, now.n, now.in, now.out, now.threads,
           now.offset, now.side == FRONT ? "before" : "after");
}

static void stop_after_many(void) {
    if (++differences == MOST_REPORTED) {
        puts("... and that is enough");
        exit(1);
    }
}

void report(const char *operand, ptrdiff_t index, double got, double expected) {
    print_call();
    printf(": %s[%td] is %a, the reference has %a\n", operand, index, got, expected);
    stop_after_many();
}

void report_text(const char *operand, const char *what) {
    print_call();
    printf(": %s %s\n", operand, what);
    stop_after_many();
}

/* A kernel that reached into a guard page cannot go on. */
static void on_fault(int signal_number) {
    print_call();
    printf(": %s\n", signal_number == SIGILL ? "not an instruction of this machine" : "touched what is not its own");
    fflush(stdout);
    _exit(1);
}

/* -------------------------------------------------------------------------------------------------------------- main */

static int usage(void) {
    fputs("usage: bits [brief | quick | full [ISA | all [SEED]]]; ISA is one of", stderr);
    for (const mlp_isa *isa = mlp_isas; isa->name; isa++) {
        fprintf(stderr, isa->available() ? " %s" : " (%s)", isa->name);
    }
    fputs("\n", stderr);
    return 2;
}

/* Those of this name, or all, that this machine can run. CPUID may be slow: it is not asked again. */
static void choose_isas(const char *name) {
    int count = 0;
    for (const mlp_isa *isa = mlp_isas; isa->name && count < MOST_ISAS; isa++) {
        if ((strcmp(name, "all") == 0 || strcmp(name, isa->name) == 0) && isa->available()) {
            isas_to_try[count++] = isa;
        }
    }
}

static void run(const char *what, void (*try_them)(void), uint64_t seed) {
    clock_t began = clock();
    calls = 0, compared = 0;
    random_state = seed;
    try_them();
    printf("%s: %ld calls, %lld numbers compared, %.1f s\n", what, calls, compared,
           (double)(clock() - began) / CLOCKS_PER_SEC);
}

/* Products whose blocks have little room: in a process of its own, in which no thread is given a scratch, because all
 * keys of what a thread owns are taken. Returns whether all went well. */
static bool run_without_scratch(uint64_t seed) {
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        pthread_key_t key;
        while (pthread_key_create(&key, NULL) == 0) {
        }
        run("float32 without scratch", try_blocks_f32, seed);
        run("float64 without scratch", try_blocks_f64, seed);
        exit(differences > 0);
    }
    int status;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(int count, char **arguments) {
    const char *mode = count > 1 ? arguments[1] : "quick";
    uint64_t seed = count > 3 ? strtoull(arguments[3], NULL, 0) : 1;
    full = strcmp(mode, "full") == 0;
    brief = strcmp(mode, "brief") == 0;
    choose_isas(count > 2 ? arguments[2] : "all");
    if (count > 4 || (!full && !brief && strcmp(mode, "quick") != 0) || !isas_to_try[0]) {
        return usage();
    }
    printf("bits %s, seed %llu:", mode, (unsigned long long)seed);
    for (const mlp_isa **isa = isas_to_try; *isa; isa++) {
        printf(" %s", (*isa)->name);
    }
    puts("");
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    make_regions();
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    signal(SIGILL, on_fault);
    const bool well = run_without_scratch(seed);
    run("float32", try_kernels_f32, seed);
    run("float64", try_kernels_f64, seed);
    return differences > 0 || !well;
}
