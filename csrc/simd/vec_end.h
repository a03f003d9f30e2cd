/* vec_end.h: ends what a page began. */
#ifdef __clang__
#pragma clang attribute pop
#endif
