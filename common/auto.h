/* common/auto.h - locals that own: AUTO(x_free) struct x *x = ...; is freed
 * when it goes out of scope. AUTO_DEFINE(struct x, x_free) stands beside
 * x_free()'s declaration; x_free must take NULL. */
#ifndef NUNCIO_COMMON_AUTO_H
#define NUNCIO_COMMON_AUTO_H
#include <stdlib.h>

#define AUTO(free_fn) __attribute__((cleanup(free_fn##_auto)))
#define AUTO_DEFINE(type, free_fn)                                                                 \
	static inline void free_fn##_auto(type **pointer)                                          \
	{                                                                                          \
		free_fn(*pointer);                                                                 \
	}

AUTO_DEFINE(char, free)

/* Hands a pointer out of an AUTO local: return TAKE(x). */
#define TAKE(variable)                                                                             \
	__extension__({                                                                            \
		__typeof__(variable) *place_ = &(variable);                                        \
		__typeof__(variable) taken_ = *place_;                                             \
		*place_ = NULL;                                                                    \
		taken_;                                                                            \
	})
#endif
