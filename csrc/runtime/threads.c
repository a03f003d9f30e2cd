/* threads.c: a pool of threads that hands out the chunks of one job at a time.
 *
 * A job is published by setting `tickets` to its number of chunks. A thread takes a ticket by decrementing the
 * counter from n to n-1 and runs chunk number chunks-n. The caller takes tickets as the workers do and then waits until
 * no chunk is `unfinished`. So it waits only for chunks that a thread has begun: if the other cores are busy with
 * something else, the caller runs all chunks itself.
 *
 * A thread that wakes late finds no ticket, or one of a newer job. Both are safe: a thread reads the job only after it
 * has taken a ticket, and a job cannot end, nor a newer one begin, while one of its chunks is unfinished.
 *
 * An idle thread spins for a short time, since the next job usually follows within microseconds, and then sleeps, so
 * that its core is free for other threads. A thread about to sleep announces it and checks for work once more; a thread
 * that publishes work checks for sleepers afterwards. With sequential consistency at least one of them sees the other.
 */
#define _POSIX_C_SOURCE 200809L
#include "threads.h"

static void run_alone(ptrdiff_t chunks, mlp_work *work, void *context) {
    for (ptrdiff_t chunk = 0; chunk < chunks; chunk++) {
        work(context, chunk);
    }
}

#if defined(_WIN32) || defined(__wasi__) || (defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__))

int mlp_get_num_threads(void) { return 1; }
void mlp_set_num_threads(int threads) { (void)threads; }
void mlp_parallel(ptrdiff_t chunks, mlp_work *work, void *context) { run_alone(chunks, work, context); }
void *mlp_thread_scratch(void) { return NULL; }

#else

#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "pause.h"
#include "memory.h"

enum {
    SPIN_TURNS = 2000,
    TURNS_PER_YIELD = 64,
    CACHE_LINE = 64,
    STACK = MLP_THREAD_SCRATCH + 256 * 1024, /* of a worker, in bytes */
};

/* The job. The thread that set `busy` writes chunks, work and context; others read them after taking a ticket. */
static struct {
    _Alignas(CACHE_LINE) atomic_ptrdiff_t tickets; /* chunks not taken yet */
    ptrdiff_t chunks;
    mlp_work *work;
    void *context;
    _Alignas(CACHE_LINE) atomic_ptrdiff_t unfinished; /* chunks that are not done yet */
} job;

/* The threads. Only the thread that set `busy` starts or stops any. */
static struct {
    _Alignas(CACHE_LINE) atomic_bool busy; /* a caller is using the pool; stays set after shutdown */
    atomic_int threads;                    /* as set; the caller's is one of them */
    atomic_int workers;                    /* that run; worker number w goes on while w < workers */
    int refused_at;                        /* the value of `threads` for which the system refused one */
    bool registered;                       /* the handlers at fork and exit are in place */
    pthread_t worker[MLP_MAX_THREADS - 1];
} pool = {.threads = 1};

/* The sleepers. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t published, done;
    atomic_int workers;
    atomic_bool caller;
} asleep = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false};

/* A thread that announced itself before we locked the mutex is in pthread_cond_wait by now, so it is woken. */
static void pass_mutex(void) {
    pthread_mutex_lock(&asleep.mutex);
    pthread_mutex_unlock(&asleep.mutex);
}

/* Yields from time to time: with more threads than cores, the thread we wait for may need this core. */
static void spend_turn(int turn) {
    if (turn % TURNS_PER_YIELD == TURNS_PER_YIELD - 1) {
        sched_yield();
    } else {
        mlp_pause();
    }
}

/* Each thread's scratch: a worker's is on its stack, another thread's is allocated when it is first needed. */
static struct {
    pthread_once_t once;
    pthread_key_t key;
    atomic_bool usable;
} scratch = {.once = PTHREAD_ONCE_INIT};

/* At exit, or when the shared object is unloaded: threads that end later find no mlp_free to call. */
static void drop_scratch_key(void) {
    if (atomic_exchange(&scratch.usable, false)) {
        pthread_key_delete(scratch.key);
    }
}

static void make_scratch_key(void) {
    atomic_store(&scratch.usable, atexit(drop_scratch_key) == 0 && pthread_key_create(&scratch.key, mlp_free) == 0);
}

static bool keep_scratch(void *block) {
    pthread_once(&scratch.once, make_scratch_key);
    return atomic_load(&scratch.usable) && pthread_setspecific(scratch.key, block) == 0;
}

void *mlp_thread_scratch(void) {
    void *block = atomic_load(&scratch.usable) ? pthread_getspecific(scratch.key) : NULL;
    if (!block && (block = mlp_alloc(MLP_THREAD_SCRATCH, 1)) && !keep_scratch(block)) {
        mlp_free(block);
        block = NULL;
    }
    return block;
}

static void run_chunks(void) {
    ptrdiff_t finished = 0;
    ptrdiff_t tickets = atomic_load_explicit(&job.tickets, memory_order_relaxed);
    while (tickets > 0) {
        if (atomic_compare_exchange_weak_explicit(&job.tickets, &tickets, tickets - 1, memory_order_acquire,
                                                  memory_order_relaxed)) {
            job.work(job.context, job.chunks - tickets);
            finished++;
            tickets = atomic_load_explicit(&job.tickets, memory_order_relaxed);
        }
    }
    /* Not after each chunk: the job is complete only when every thread's last chunk is. */
    if (finished > 0 && atomic_fetch_sub(&job.unfinished, finished) == finished && atomic_load(&asleep.caller)) {
        pass_mutex();
        pthread_cond_signal(&asleep.done);
    }
}

static void *worker(void *number) {
    const int w = (int)(intptr_t)number;
    _Alignas(CACHE_LINE) char room[MLP_THREAD_SCRATCH];
    keep_scratch(room);
    fesetenv(FE_DFL_ENV); /* a new thread has inherited its creator's */
    while (w < atomic_load(&pool.workers)) {
        run_chunks();
        for (int turn = 0; turn < SPIN_TURNS && atomic_load_explicit(&job.tickets, memory_order_relaxed) == 0; turn++) {
            spend_turn(turn);
        }
        if (atomic_load(&job.tickets) == 0) {
            pthread_mutex_lock(&asleep.mutex);
            atomic_fetch_add(&asleep.workers, 1);
            /* Once, not in a loop: a thread woken too late for one job spins for the next. */
            if (atomic_load(&job.tickets) == 0 && w < atomic_load(&pool.workers)) {
                pthread_cond_wait(&asleep.published, &asleep.mutex);
            }
            atomic_fetch_sub(&asleep.workers, 1);
            pthread_mutex_unlock(&asleep.mutex);
        }
    }
    keep_scratch(NULL); /* not to be freed */
    return NULL;
}

static void wake_workers(ptrdiff_t useful) {
    const int sleepers = atomic_load(&asleep.workers);
    if (sleepers == 0) {
        return;
    }
    pass_mutex();
    if (useful >= sleepers) {
        pthread_cond_broadcast(&asleep.published);
    } else {
        for (ptrdiff_t i = 0; i < useful; i++) {
            pthread_cond_signal(&asleep.published);
        }
    }
}

static void wait_for_chunks(void) {
    for (int turn = 0; turn < SPIN_TURNS && atomic_load_explicit(&job.unfinished, memory_order_relaxed) > 0; turn++) {
        spend_turn(turn);
    }
    if (atomic_load(&job.unfinished) > 0) {
        pthread_mutex_lock(&asleep.mutex);
        atomic_store(&asleep.caller, true);
        while (atomic_load(&job.unfinished) > 0) {
            pthread_cond_wait(&asleep.done, &asleep.mutex);
        }
        atomic_store(&asleep.caller, false);
        pthread_mutex_unlock(&asleep.mutex);
    }
}

static void stop_workers(int from) {
    const int running = atomic_load(&pool.workers);
    atomic_store(&pool.workers, from);
    pass_mutex();
    pthread_cond_broadcast(&asleep.published);
    for (int w = from; w < running; w++) {
        pthread_join(pool.worker[w], NULL);
    }
}

/* After a fork the child has one thread, whatever state the others were in. */
static void start_anew_in_child(void) {
    atomic_store(&job.tickets, 0);
    atomic_store(&pool.workers, 0);
    pool.refused_at = 0;
    asleep.mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    asleep.published = asleep.done = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    atomic_store(&asleep.workers, 0);
    atomic_store(&asleep.caller, false);
    atomic_store(&pool.busy, false);
}

/* At exit, or when the shared object is unloaded. Keeps the pool, so that threads which still compute do so alone. If
 * one of them is in the middle of a job, its workers are left to the end of the process. */
static void stop_at_exit(void) {
    if (!atomic_exchange(&pool.busy, true)) {
        stop_workers(0);
    }
}

static bool start_worker(int w) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    const bool started = pthread_attr_setstacksize(&attributes, STACK) == 0 &&
                         pthread_create(&pool.worker[w], &attributes, worker, (void *)(intptr_t)w) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

static void start_workers(int threads, int workers) {
    if (!pool.registered) {
        pool.registered = pthread_atfork(NULL, NULL, start_anew_in_child) == 0 && atexit(stop_at_exit) == 0;
    }
    /* Signals go to the threads of the program, which may wait for them in a system call. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool refused = !pool.registered;
    for (int w = atomic_load(&pool.workers); !refused && w < workers; w++) {
        atomic_store(&pool.workers, w + 1);
        if (!start_worker(w)) {
            atomic_store(&pool.workers, w);
            refused = true;
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (refused) {
        pool.refused_at = threads;
    }
}

void mlp_parallel(ptrdiff_t chunks, mlp_work *work, void *context) {
    const int threads = mlp_get_num_threads();
    if (chunks <= 1 || threads == 1 || atomic_exchange(&pool.busy, true)) {
        run_alone(chunks, work, context);
        return;
    }
    const int workers = atomic_load_explicit(&pool.workers, memory_order_relaxed);
    const int wanted = chunks < threads ? (int)chunks - 1 : threads - 1;
    if (workers > threads - 1) {
        stop_workers(threads - 1);
    } else if (workers < wanted && pool.refused_at != threads) {
        start_workers(threads, wanted);
    }

    job.chunks = chunks;
    job.work = work;
    job.context = context;
    atomic_store_explicit(&job.unfinished, chunks, memory_order_relaxed);
    atomic_store(&job.tickets, chunks);
    wake_workers(chunks - 1);
    run_chunks();
    wait_for_chunks();
    atomic_store_explicit(&pool.busy, false, memory_order_release);
}

int mlp_get_num_threads(void) { return atomic_load_explicit(&pool.threads, memory_order_relaxed); }

void mlp_set_num_threads(int threads) {
    atomic_store(&pool.threads, threads < 1 ? 1 : threads > MLP_MAX_THREADS ? MLP_MAX_THREADS : threads);
}

#endif
