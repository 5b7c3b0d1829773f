/* Base64: RFC 4648's vectors, and nothing that could be read in two ways. */
#include "base64.h"

#include "buf.h"
#include "expect.h"

static const struct {
	const char *plain, *coded;
} vectors[] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
	{"\xfb\xff\xfe", "+//+"},
};

TEST(vectors_both_ways)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		struct buf out;

		buf_init(&out, 100);
		expect_int(base64_encode(&out, vectors[i].plain, strlen(vectors[i].plain)), 0);
		expect_text(buf_bytes(&out), vectors[i].coded);
		buf_clear(&out);
		expect_int(base64_decode(&out, vectors[i].coded, strlen(vectors[i].coded)), 0);
		expect_bytes(buf_bytes(&out), out.len, vectors[i].plain, strlen(vectors[i].plain));
		buf_clear(&out);
	}
}

TEST(every_length_comes_back)
{
	unsigned char bytes[300];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 151 + 7);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct buf coded, plain;

		buf_init(&coded, 1000);
		buf_init(&plain, sizeof(bytes));
		expect_int(base64_encode(&coded, bytes, len), 0);
		expect_int(base64_decode(&plain, buf_bytes(&coded), coded.len), 0);
		expect_bytes(buf_bytes(&plain), plain.len, bytes, len);
		buf_clear(&coded);
		buf_clear(&plain);
	}
}

TEST(white_space_is_passed_over)
{
	static const char text[] = " Zm\r\n9v\tYg=\n= \n";
	struct buf out;

	buf_init(&out, 100);
	expect_int(base64_decode(&out, text, strlen(text)), 0);
	expect_text(buf_bytes(&out), "foob");
	buf_clear(&out);
}

TEST(what_has_two_readings_is_refused)
{
	static const char *const bad[] = {
		"Z",         /* six bits */
		"Zg",        /* no padding */
		"Zg=",       /* half of it */
		"Zg===",     /* too much */
		"Zm9v=",     /* where none belongs */
		"Zm9v====",  /* nor these */
		"=",         /* alone */
		"====",      /* alone */
		"Zg==Zg==",  /* something behind it */
		"Z=g=",      /* inside */
		"Zh==",      /* bits that stand for nothing */
		"Zm9=",      /* likewise */
		"Zm9v-_==",  /* the other alphabet */
		"Zm9v\x80=", /* not ASCII */
		"Zm.v",      /* not in the alphabet */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf out;

		buf_init(&out, 100);
		buf_add_text(&out, "before");
		expect_int(base64_decode(&out, bad[i], strlen(bad[i])), -1);
		expect_text(buf_bytes(&out), "before");
		buf_clear(&out);
	}
	struct buf out;

	buf_init(&out, 100);
	expect_int(base64_decode(&out, "Zm\0v", 4), -1);
	buf_clear(&out);
}

TEST(a_full_buf_is_left_alone)
{
	struct buf out;

	buf_init(&out, 3);
	expect_int(base64_encode(&out, "f", 1), -1);
	expect_int(base64_decode(&out, "Zm9vYg==", 8), -1);
	expect_int(out.len, 0);
	expect_int(base64_decode(&out, "Zm9v", 4), 0);
	buf_clear(&out);
}

RUN_TESTS()
