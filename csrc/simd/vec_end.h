/* vec_end.h: undoes the definitions of a vec_*.h header. */
#ifdef __clang__
#pragma clang attribute pop
#endif
