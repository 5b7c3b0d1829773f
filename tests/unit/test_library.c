/* A library is there or it is not; a symbol, too. */
#include "library.h"

#include "expect.h"
#include "failure.h"

TEST(a_library_fills_its_places)
{
	double (*cosine)(double) = NULL;
	const struct library_symbol symbols[] = {{"cos", &cosine}, {NULL, NULL}};
	struct failure f = {0};

	expect_ok(library_open("libm.so.6", symbols, &f), &f);
	expect_true(cosine(0) == 1.0);
}

TEST(a_missing_library_is_named)
{
	void *place = NULL;
	const struct library_symbol symbols[] = {{"cos", &place}, {NULL, NULL}};
	struct failure f = {0};

	expect_failure(library_open("libnuncio-nowhere.so.9", symbols, &f), &f, FAILURE_SETUP);
	expect_contains(f.text, "libnuncio-nowhere.so.9 cannot be loaded");
	expect_null(place);
}

TEST(a_missing_symbol_is_named_and_no_place_is_touched)
{
	void *cosine = NULL, *other = NULL;
	const struct library_symbol symbols[] = {
		{"cos", &cosine},
		{"nuncio_is_not_here", &other},
		{NULL, NULL},
	};
	struct failure f = {0};

	expect_failure(library_open("libm.so.6", symbols, &f), &f, FAILURE_SETUP);
	expect_text(f.text, "libm.so.6 is too old: it has no nuncio_is_not_here");
	expect_null(cosine);
}

RUN_TESTS()
