/* message/attachment.c - names and types of attachments. */
#include "message/attachment.h"

#include <stddef.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "message/letter.h"
#include "message/part_body.h"
#include "text.h"

enum { TYPE_MAX = 127, ENDING_KEPT = 16 };

static const char unknown_type[] = "application/octet-stream";

static const struct {
	const char *ending, *type;
} endings[] = {
	/* clang-format off */
	{ "7z",   "application/x-7z-compressed" },
	{ "aac",  "audio/aac" },
	{ "avi",  "video/x-msvideo" },
	{ "avif", "image/avif" },
	{ "bmp",  "image/bmp" },
	{ "bz2",  "application/x-bzip2" },
	{ "c",    "text/x-c" },
	{ "conf", "text/plain" },
	{ "css",  "text/css" },
	{ "csv",  "text/csv" },
	{ "deb",  "application/vnd.debian.binary-package" },
	{ "diff", "text/x-diff" },
	{ "doc",  "application/msword" },
	{ "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
	{ "epub", "application/epub+zip" },
	{ "flac", "audio/flac" },
	{ "gif",  "image/gif" },
	{ "gpx",  "application/gpx+xml" },
	{ "gz",   "application/gzip" },
	{ "heic", "image/heic" },
	{ "htm",  "text/html" },
	{ "html", "text/html" },
	{ "ics",  "text/calendar" },
	{ "ini",  "text/plain" },
	{ "jpeg", "image/jpeg" },
	{ "jpg",  "image/jpeg" },
	{ "js",   "text/javascript" },
	{ "json", "application/json" },
	{ "log",  "text/plain" },
	{ "m4a",  "audio/mp4" },
	{ "md",   "text/markdown" },
	{ "mkv",  "video/x-matroska" },
	{ "mov",  "video/quicktime" },
	{ "mp3",  "audio/mpeg" },
	{ "mp4",  "video/mp4" },
	{ "odp",  "application/vnd.oasis.opendocument.presentation" },
	{ "ods",  "application/vnd.oasis.opendocument.spreadsheet" },
	{ "odt",  "application/vnd.oasis.opendocument.text" },
	{ "ogg",  "audio/ogg" },
	{ "opus", "audio/ogg" },
	{ "patch", "text/x-diff" },
	{ "pdf",  "application/pdf" },
	{ "png",  "image/png" },
	{ "ppt",  "application/vnd.ms-powerpoint" },
	{ "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
	{ "ps",   "application/postscript" },
	{ "py",   "text/x-python" },
	{ "rtf",  "application/rtf" },
	{ "sh",   "text/x-shellscript" },
	{ "svg",  "image/svg+xml" },
	{ "tar",  "application/x-tar" },
	{ "tif",  "image/tiff" },
	{ "tiff", "image/tiff" },
	{ "torrent", "application/x-bittorrent" },
	{ "txt",  "text/plain" },
	{ "vcf",  "text/vcard" },
	{ "wav",  "audio/x-wav" },
	{ "webm", "video/webm" },
	{ "webp", "image/webp" },
	{ "xls",  "application/vnd.ms-excel" },
	{ "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
	{ "xml",  "application/xml" },
	{ "xz",   "application/x-xz" },
	{ "yaml", "application/yaml" },
	{ "yml",  "application/yaml" },
	{ "zip",  "application/zip" },
	{ "zst",  "application/zstd" },
	/* clang-format on */
};

const char *attachment_type(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!dot)
		return unknown_type;
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
		if (text_equal_nocase(dot + 1, endings[i].ending))
			return endings[i].type;
	return unknown_type;
}

const char *attachment_ending(const char *type)
{
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
		if (text_equal_nocase(type, endings[i].type))
			return endings[i].ending;
	return NULL;
}

/* token of RFC 2045: printable ASCII without spaces and tspecials */
static size_t token_len(const char *text)
{
	size_t len = 0;

	while (text[len] > ' ' && text[len] <= '~' && !strchr("()<>@,;:\\\"/[]?=", text[len]))
		len++;
	return len;
}

bool attachment_type_is_valid(const char *type)
{
	size_t first = token_len(type);

	if (!first || type[first] != '/' || strlen(type) > TYPE_MAX)
		return false;
	size_t second = token_len(type + first + 1);

	return second && !type[first + 1 + second];
}

const char *attachment_type_to_write(const char *type)
{
	if (!type || !attachment_type_is_valid(type) || text_starts_nocase(type, "message/") ||
	    text_starts_nocase(type, "multipart/"))
		return unknown_type;
	return type;
}

bool attachment_is_mail(const char *bytes, size_t len)
{
	bool crlf = memmem(bytes, len, "\r\n", 2) != NULL;

	for (size_t i = 0; crlf && i < len; i++)
		if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))
			return false;
	return part_encoding_for_text(bytes, len, true) == PART_7BIT;
}

bool attachment_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len && len <= ATTACHMENT_NAME_MAX && *name != '.' && !strpbrk(name, "/\\") &&
	       text_is_utf8(name, len) && text_is_one_line(name, len);
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Cuts in the middle, so that the ending stays; name has room for what it has. */
static void shorten(char *name)
{
	size_t len = strlen(name);

	if (len <= ATTACHMENT_NAME_MAX)
		return;
	const char *dot = strrchr(name, '.');
	size_t ending =
		dot && len - (size_t)(dot - name) <= ENDING_KEPT ? len - (size_t)(dot - name) : 0;
	size_t stem = ATTACHMENT_NAME_MAX - ending;

	while (stem && is_continuation(name[stem]))
		stem--;
	memmove(name + stem, name + len - ending, ending + 1);
}

char *attachment_name(const char *given)
{
	const char *last = given;

	for (const char *c = given; *c; c++)
		if ((*c == '/' || *c == '\\') && c[1])
			last = c + 1;
	size_t size = strlen(last) + 4;
	AUTO(free) char *clean = xmalloc(size);

	text_safe_line(clean, size, last, size - 4);
	char *name = clean + strspn(clean, ". ");
	size_t len = strlen(name);

	while (len && strchr(" ./\\", name[len - 1]))
		name[--len] = '\0';
	shorten(name);
	return xstrdup(*name ? name : "attachment");
}
