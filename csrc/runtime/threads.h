/* threads.h: runs a job on several threads.
 *
 * Work comes in chunks that may run in any order and on any thread, so a result must not depend on the thread:
 * chunks write to places of their own and never add to a common sum. Then the number of threads changes the speed and
 * nothing else. docs/decisions/thread-pool.md tells why the pool is as it is, with measurements.
 */
#ifndef MLPCORE_THREADS_H
#define MLPCORE_THREADS_H

#include <stddef.h>

/* Seen from outside of the shared object, for threadpoolctl. */
#if defined(_WIN32)
#define MLP_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define MLP_EXPORT __attribute__((visibility("default")))
#else
#define MLP_EXPORT
#endif

/* A chunk does not fork and does not exit. It may call mlp_parallel, which then runs serially. */
typedef void mlp_work(void *context, ptrdiff_t chunk);

/* Calls work(context, chunk) once for each chunk 0 ... chunks-1 and returns when all are done. The caller works too,
 * with up to mlp_get_num_threads() - 1 others; alone, in ascending order, if there is one chunk, one thread, or if
 * another caller has the pool. Threads of the pool compute in the default floating-point environment, whatever the
 * caller's is, in which the caller computes. */
void mlp_parallel(ptrdiff_t chunks, mlp_work *work, void *context);

/* Memory of the calling thread alone, MLP_THREAD_SCRATCH bytes beginning on a cache line, for what it does until it
 * returns; kept until the thread ends. NULL if the allocation fails. */
enum { MLP_THREAD_SCRATCH = 1280 * 1024 };
void *mlp_thread_scratch(void);

enum { MLP_MAX_THREADS = 1024 };

/* How many threads work, the caller's included, in the whole process: 1 until it is set, always within 1 and
 * MLP_MAX_THREADS. Threads start when they are first needed; where the system refuses one, fewer work. */
MLP_EXPORT int mlp_get_num_threads(void);
MLP_EXPORT void mlp_set_num_threads(int threads);

#endif
