/* config/source.c - reads a file and the files it includes into one text.
 * Decides which files may be read at all; what the text means is left to
 * grammar.c and libconfig. */
#include "config/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "config/lex.h"
#include "secret.h"
#include "text.h"

/* One file on its way into the text. */
struct reading {
	struct source *source;
	struct problems *problems;
	struct place blame; /* who asked for the file */
	const char *what;   /* what the asker calls it */
};

static int read_one(struct reading *r, const char *path, int from);

static void text_free(char *text, size_t len)
{
	if (text)
		secret_wipe(text, len);
	free(text);
}

/* realloc() would leave copies of secrets behind. */
static void source_add(struct source *source, const char *bytes, size_t len)
{
	if (source->allocated - source->len <= len) {
		size_t allocated = 2 * source->allocated + len + 1;
		char *grown = xmalloc(allocated);

		if (source->len)
			memcpy(grown, source->text, source->len);
		text_free(source->text, source->len);
		source->text = grown;
		source->allocated = allocated;
	}
	if (len)
		memcpy(source->text + source->len, bytes, len);
	for (size_t i = 0; i < len; i++)
		source->lines += bytes[i] == '\n';
	source->len += len;
	source->text[source->len] = '\0';
}

static void source_span(struct source *source, unsigned file, unsigned line)
{
	struct source_span *last = source->nspans ? &source->spans[source->nspans - 1] : NULL;

	if (!last || last->first != source->lines)
		last = &source->spans[source->nspans++];
	*last = (struct source_span){source->lines, line, file};
}

/* The rules of ownership: whoever may write here rules the daemon. */
static int judge_file(const struct reading *r, const char *path, const struct stat *st)
{
	struct place whole = {path, 0, NULL};

	if (!S_ISREG(st->st_mode))
		problem_add(r->problems, &r->blame, "%s is no regular file", r->what);
	else if (st->st_mode & (S_IWGRP | S_IWOTH))
		problem_add(r->problems, &whole,
			    "may be written by others than its owner: chmod go-w %s", path);
	else if (geteuid() == 0 && st->st_uid != 0)
		problem_add(r->problems, &whole,
			    "belongs to user %u, and must belong to root: chown root %s",
			    (unsigned)st->st_uid, path);
	else
		return 0;
	return -1;
}

static int judge_text(const struct reading *r, const char *path, const char *text, size_t len)
{
	struct place place = {path, 1, NULL};

	if (len >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) {
		problem_add(r->problems, &place,
			    "the file begins with a byte order mark: save it as UTF-8 without one");
		return -1;
	}
	for (size_t at = 0; at < len; place.line++) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line_len = end ? (size_t)(end - text) - at : len - at;

		if (!text_is_utf8(text + at, line_len)) {
			problem_add(r->problems, &place,
				    "the line is not UTF-8: save the file as UTF-8");
			return -1;
		}
		at += line_len + 1;
	}
	return 0;
}

static int read_bytes(const struct reading *r, int fd, char *bytes, size_t *ret_len)
{
	size_t len = 0;

	while (len <= SOURCE_MAX_FILE) {
		ssize_t n = read(fd, bytes + len, SOURCE_MAX_FILE + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			problem_add(r->problems, &r->blame, "%s cannot be read: %s", r->what,
				    strerror(errno));
			return -1;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > SOURCE_MAX_FILE) {
		problem_add(r->problems, &r->blame, "%s is larger than 1 MiB", r->what);
		return -1;
	}
	*ret_len = len;
	return 0;
}

static char *path_beside(const char *path, const char *name, size_t len)
{
	const char *slash = strrchr(path, '/');

	if (name[0] == '/' || !slash)
		return xstrndup(name, len);
	return xprintf("%.*s%.*s", (int)(slash - path) + 1, path, (int)len, name);
}

static int take_include(struct reading *r, unsigned file, const struct token *token)
{
	const char *path = r->source->files[file].path;
	struct reading inner = {r->source, r->problems, {path, token->line, "@include"}, NULL};
	size_t len;
	const char *name = token_include_name(token, &len);

	if (!len || memchr(name, '\\', len)) {
		problem_add(r->problems, &inner.blame,
			    "takes the name of a file, like @include \"contacts.conf\"");
		return -1;
	}
	AUTO(free) char *wanted = path_beside(path, name, len);

	inner.what = wanted;
	return read_one(&inner, wanted, (int)file);
}

/* Copies text, putting the files it includes in their places. */
static int take_text(struct reading *r, unsigned file, const char *text, size_t len)
{
	struct lex lex;
	struct token token;
	const char *copied = text;

	source_span(r->source, file, 1);
	lex_init(&lex, text, len);
	for (lex_next(&lex, &token); token.kind != TOKEN_END; lex_next(&lex, &token)) {
		/* Of all that is bad, only a comment without end would reach into the
		 * including file; the rest grammar.c tells better. */
		if (token.kind == TOKEN_BAD && token.start == text + len) {
			struct place place = {r->source->files[file].path, token.line, NULL};

			problem_add(r->problems, &place, "%s", token.why);
			return -1;
		}
		if (token.kind != TOKEN_INCLUDE)
			continue;
		source_add(r->source, copied, (size_t)(token.start - copied));
		if (take_include(r, file, &token) < 0)
			return -1;
		copied = token.start + token.len;
		source_span(r->source, file, token.line);
	}
	source_add(r->source, copied, (size_t)(text + len - copied));
	source_add(r->source, "\n", 1);
	return 0;
}

/* Whether one more file may be taken in. */
static int judge_include(const struct reading *r, const struct stat *st, int from)
{
	const struct source *source = r->source;
	unsigned depth = 0;

	for (int i = from; i >= 0; i = source->files[i].from, depth++)
		if (source->files[i].dev == st->st_dev && source->files[i].ino == st->st_ino) {
			problem_add(r->problems, &r->blame, "%s would include itself", r->what);
			return -1;
		}
	if (depth > SOURCE_MAX_DEPTH)
		problem_add(r->problems, &r->blame, "includes go deeper than %d files",
			    SOURCE_MAX_DEPTH);
	else if (source->nfiles == SOURCE_MAX_FILES)
		problem_add(r->problems, &r->blame, "more than %d files are included",
			    SOURCE_MAX_FILES);
	else
		return 0;
	return -1;
}

static int read_open(struct reading *r, const char *path, int fd, int from)
{
	struct source *source = r->source;
	struct stat st;
	size_t len = 0;

	if (fstat(fd, &st) < 0 || judge_file(r, path, &st) < 0 || judge_include(r, &st, from) < 0)
		return -1;
	unsigned file = source->nfiles++;

	source->files[file] = (struct source_file){xstrdup(path), st.st_mode, st.st_dev,
						   st.st_ino,     st.st_ctim, from};
	char *bytes = xmalloc(SOURCE_MAX_FILE + 1);
	int result = read_bytes(r, fd, bytes, &len);

	if (result == 0)
		result = judge_text(r, path, bytes, len);
	if (result == 0)
		result = take_text(r, file, bytes, len);
	text_free(bytes, len);
	return result;
}

static int read_one(struct reading *r, const char *path, int from)
{
	/* O_NONBLOCK: a FIFO must not hold us up before it is refused. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		problem_add(r->problems, &r->blame, "%s cannot be read: %s", r->what,
			    strerror(errno));
		return -1;
	}
	int result = read_open(r, path, fd, from);

	close(fd);
	return result;
}

int source_read(struct source *source, const char *path, struct problems *problems)
{
	struct reading r = {source, problems, {path, 0, NULL}, "the file"};

	*source = (struct source){.lines = 1};
	return read_one(&r, path, -1);
}

void source_clear(struct source *source)
{
	text_free(source->text, source->len);
	for (unsigned i = 0; i < source->nfiles; i++)
		free(source->files[i].path);
	*source = (struct source){0};
}

const struct source_file *source_at(const struct source *source, unsigned line, unsigned *ret_line)
{
	unsigned i = source->nspans - 1;

	while (i > 0 && source->spans[i].first > line)
		i--;
	*ret_line = source->spans[i].line + (line - source->spans[i].first);
	return &source->files[source->spans[i].file];
}
