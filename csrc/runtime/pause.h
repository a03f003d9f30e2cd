/* pause.h: the processor's hint for spin-wait loops. */
#ifndef MLPCORE_PAUSE_H
#define MLPCORE_PAUSE_H

#if defined(_MSC_VER)
#include <intrin.h>
#endif

static inline void mlp_pause(void) {
#if defined(_MSC_VER) && defined(_M_X64)
    _mm_pause();
#elif defined(_MSC_VER) && defined(_M_ARM64)
    __yield();
#elif defined(__x86_64__)
    __asm__ volatile("pause");
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
