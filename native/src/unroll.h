/* Loops of a constant count over arrays of vectors. */
#ifndef TSWS_UNROLL_H
#define TSWS_UNROLL_H

/*
 * Loops over arrays of vectors have to vanish, so that the arrays can live in registers; but not under clang's
 * UndefinedBehaviorSanitizer, which takes minutes to compile what results.
 */
#if !defined(__clang__)
#define TSWS_UNROLL _Pragma("GCC unroll 16")
#elif __has_feature(undefined_behavior_sanitizer)
#define TSWS_UNROLL
#else
#define TSWS_UNROLL _Pragma("clang loop unroll(full)")
#endif

#endif
