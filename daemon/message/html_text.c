/* message/html_text.c - walks the tree that libxml2 makes of html and writes down
 * what is to be read. No network, no entity from outside, no scripts. */
#include "message/html_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "message/libxml2.h"
#include "text.h"

enum {
	TEXT_MAX = 4 << 20,
	LINKS_MAX = 500,
	LINK_MAX = 2000,
	LISTS_MAX = 32,
	QUOTES_MAX = 8,
	HTML_MAX = 1 << 28
};

struct writer {
	const struct libxml2 *xml;
	struct buf out;
	unsigned breaks; /* line ends owed before the next word: 1 a new line, 2 a paragraph */
	unsigned spaces; /* owed before the next word on this line */
	unsigned quotes; /* depth of quotations: their lines begin with so many marks */
	unsigned pre;    /* depth of elements whose white space counts */
	unsigned items[LISTS_MAX]; /* of the lists around us: what was numbered last */
	unsigned lists;            /* how many they are, the deeper ones without a place */
	char **links;              /* owned, of nlinks */
	size_t nlinks;
};

enum tag_kind {
	TAG_HIDDEN = 1,
	TAG_BLOCK, /* stands on lines of its own */
	TAG_PARAGRAPH,
	TAG_QUOTE,
	TAG_BREAK,
	TAG_LIST,
	TAG_ITEM,
	TAG_CELL,
	TAG_RULE,
	TAG_PRE,
	TAG_LINK,
	TAG_IMAGE,
};

static const struct {
	const char *name;
	enum tag_kind kind;
} tags[] = {
	/* clang-format off */
	{ "head", TAG_HIDDEN }, { "script", TAG_HIDDEN }, { "style", TAG_HIDDEN },
	{ "template", TAG_HIDDEN }, { "title", TAG_HIDDEN }, { "noscript", TAG_HIDDEN },
	{ "p", TAG_PARAGRAPH }, { "h1", TAG_PARAGRAPH }, { "h2", TAG_PARAGRAPH },
	{ "h3", TAG_PARAGRAPH }, { "h4", TAG_PARAGRAPH }, { "h5", TAG_PARAGRAPH },
	{ "h6", TAG_PARAGRAPH }, { "ul", TAG_LIST }, { "ol", TAG_LIST },
	{ "table", TAG_PARAGRAPH }, { "blockquote", TAG_QUOTE }, { "dl", TAG_PARAGRAPH },
	{ "div", TAG_BLOCK }, { "tr", TAG_BLOCK }, { "section", TAG_BLOCK }, { "article", TAG_BLOCK },
	{ "header", TAG_BLOCK }, { "footer", TAG_BLOCK }, { "main", TAG_BLOCK }, { "nav", TAG_BLOCK },
	{ "form", TAG_BLOCK }, { "center", TAG_BLOCK }, { "dt", TAG_BLOCK }, { "dd", TAG_BLOCK },
	{ "address", TAG_BLOCK }, { "caption", TAG_BLOCK }, { "figure", TAG_BLOCK },
	{ "br", TAG_BREAK }, { "li", TAG_ITEM }, { "td", TAG_CELL }, { "th", TAG_CELL },
	{ "hr", TAG_RULE }, { "pre", TAG_PRE }, { "a", TAG_LINK }, { "img", TAG_IMAGE },
	/* clang-format on */
};

static int tag_of(const xmlNode *node)
{
	if (node->type != XML_ELEMENT_NODE)
		return 0;
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
		if (text_equal_nocase((const char *)node->name, tags[i].name))
			return tags[i].kind;
	return 0;
}

static void owe_breaks(struct writer *w, unsigned breaks)
{
	w->spaces = 0;
	if (w->out.len && w->breaks < breaks)
		w->breaks = breaks;
}

static bool at_line_start(const struct writer *w)
{
	return !w->out.len || w->breaks || buf_bytes(&w->out)[w->out.len - 1] == '\n';
}

static void pay(struct writer *w)
{
	unsigned marks = !at_line_start(w) ? 0 : w->quotes < QUOTES_MAX ? w->quotes : QUOTES_MAX;

	if (w->breaks)
		w->spaces = 0;
	buf_add(&w->out, "\n\n\n", w->breaks);
	for (; marks; marks--)
		buf_add(&w->out, "> ", 2);
	buf_add(&w->out, "  ", w->spaces);
	w->breaks = w->spaces = 0;
}

static void write_bytes(struct writer *w, const char *bytes, size_t len)
{
	pay(w);
	buf_add(&w->out, bytes, len);
}

static void write_flowing(struct writer *w, const char *text)
{
	static const char blanks[] = " \t\r\n\f";

	while (*text) {
		size_t blank = strspn(text, blanks);

		if (blank && !w->spaces && !at_line_start(w))
			w->spaces = 1;
		text += blank;
		size_t len = strcspn(text, blanks);

		if (len)
			write_bytes(w, text, len);
		text += len;
	}
}

static void write_text(struct writer *w, const char *text)
{
	if (!w->pre)
		write_flowing(w, text);
	while (w->pre && *text) { /* each line by itself: it may be quoted */
		size_t len = strcspn(text, "\n");

		len += text[len] == '\n';
		write_bytes(w, text, len);
		text += len;
	}
}

static char *attribute(const struct writer *w, const xmlNode *node, const char *name)
{
	return (char *)w->xml->xmlGetProp(node, (const xmlChar *)name);
}

static bool is_worth_listing(const char *href)
{
	size_t len = strlen(href);

	return len <= LINK_MAX && text_is_one_line(href, len) &&
	       (text_starts_nocase(href, "http:") || text_starts_nocase(href, "https:") ||
		text_starts_nocase(href, "mailto:") || text_starts_nocase(href, "tel:") ||
		text_starts_nocase(href, "ftp:"));
}

/* Its number in the list, or 0: the list is full. */
static size_t link_number(struct writer *w, const char *href)
{
	for (size_t i = 0; i < w->nlinks; i++)
		if (strcmp(w->links[i], href) == 0)
			return i + 1;
	if (w->nlinks == LINKS_MAX)
		return 0;
	w->links = xrealloc(w->links, (w->nlinks + 1) * sizeof(*w->links));
	w->links[w->nlinks] = xstrdup(href);
	return ++w->nlinks;
}

static bool ends_with(const struct buf *b, const char *text)
{
	size_t len = strlen(text);

	return len && b->len >= len && memcmp(buf_bytes(b) + b->len - len, text, len) == 0;
}

static void write_link_number(struct writer *w, const xmlNode *node)
{
	char *href = attribute(w, node, "href");
	const char *shown = href && text_starts_nocase(href, "mailto:") ? href + 7 : href;

	if (href && is_worth_listing(href) && !ends_with(&w->out, shown)) {
		size_t number = link_number(w, href);

		if (number) {
			w->spaces = !at_line_start(w);
			pay(w);
			buf_printf(&w->out, "[%zu]", number);
		}
	}
	(*w->xml->xmlFree)(href);
}

static void write_image(struct writer *w, const xmlNode *node)
{
	char *alt = attribute(w, node, "alt");

	if (alt && *alt) {
		write_flowing(w, "[");
		write_flowing(w, alt);
		w->spaces = 0;
		write_flowing(w, "]");
	}
	(*w->xml->xmlFree)(alt);
}

static void enter_list(struct writer *w)
{
	owe_breaks(w, w->lists ? 1 : 2);
	if (w->lists < LISTS_MAX)
		w->items[w->lists] = 0;
	w->lists++;
}

static void leave_list(struct writer *w)
{
	w->lists--;
	owe_breaks(w, w->lists ? 1 : 2);
}

static void write_bullet(struct writer *w, const xmlNode *item)
{
	bool numbered = item->parent && text_equal_nocase((const char *)item->parent->name, "ol");

	owe_breaks(w, 1);
	pay(w);
	if (numbered && w->lists && w->lists <= LISTS_MAX)
		buf_printf(&w->out, "%u. ", ++w->items[w->lists - 1]);
	else
		buf_add_text(&w->out, "- ");
}

/* False: what is inside is not to be read. */
static bool enter(struct writer *w, const xmlNode *node)
{
	switch (tag_of(node)) {
	case TAG_HIDDEN:
		return false;
	case TAG_BLOCK:
		owe_breaks(w, 1);
		break;
	case TAG_PRE:
		w->pre++;
		owe_breaks(w, 2);
		break;
	case TAG_PARAGRAPH:
		owe_breaks(w, 2);
		break;
	case TAG_QUOTE:
		owe_breaks(w, 2);
		w->quotes++;
		break;
	case TAG_LIST:
		enter_list(w);
		break;
	case TAG_BREAK:
		w->spaces = 0;
		w->breaks += w->out.len && w->breaks < 3;
		break;
	case TAG_ITEM:
		write_bullet(w, node);
		break;
	case TAG_RULE:
		owe_breaks(w, 1);
		write_bytes(w, "----", 4);
		owe_breaks(w, 1);
		break;
	case TAG_IMAGE:
		write_image(w, node);
		break;
	default:
		break;
	}
	if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
		write_text(w, node->content ? (const char *)node->content : "");
	return true;
}

static void leave(struct writer *w, const xmlNode *node)
{
	switch (tag_of(node)) {
	case TAG_PRE:
		w->pre--;
		owe_breaks(w, 2);
		break;
	case TAG_PARAGRAPH:
		owe_breaks(w, 2);
		break;
	case TAG_QUOTE:
		w->quotes--;
		owe_breaks(w, 2);
		break;
	case TAG_LIST:
		leave_list(w);
		break;
	case TAG_BLOCK:
	case TAG_ITEM:
		owe_breaks(w, 1);
		break;
	case TAG_CELL:
		if (!at_line_start(w))
			w->spaces = 2;
		break;
	case TAG_LINK:
		write_link_number(w, node);
		break;
	default:
		break;
	}
}

/* Without recursion: how deep html goes is not ours to say. */
static void walk(struct writer *w, const xmlNode *root)
{
	const xmlNode *node = root;

	while (node) {
		if (enter(w, node) && node->children && node->type == XML_ELEMENT_NODE) {
			node = node->children;
			continue;
		}
		leave(w, node);
		while (!node->next && node != root) {
			node = node->parent;
			leave(w, node);
		}
		node = node == root ? NULL : node->next;
	}
}

static void write_links(struct writer *w)
{
	if (w->nlinks)
		owe_breaks(w, 2);
	for (size_t i = 0; i < w->nlinks; i++) {
		pay(w);
		buf_printf(&w->out, "[%zu] %s\n", i + 1, w->links[i]);
		free(w->links[i]);
	}
	free(w->links);
}

char *html_text(const char *html, size_t len, size_t *ret_len)
{
	const int options =
		HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_RECOVER;
	struct writer w = {.xml = libxml2_load()};
	htmlDocPtr doc = NULL;

	buf_init(&w.out, TEXT_MAX);
	if (w.xml)
		doc = w.xml->htmlReadMemory(html, (int)(len < HTML_MAX ? len : HTML_MAX), NULL,
					    "UTF-8", options);
	if (doc && w.xml->xmlDocGetRootElement(doc))
		walk(&w, w.xml->xmlDocGetRootElement(doc));
	if (doc)
		w.xml->xmlFreeDoc(doc);
	write_links(&w);
	if (w.out.len && buf_bytes(&w.out)[w.out.len - 1] != '\n')
		buf_add(&w.out, "\n", 1);
	return buf_take(&w.out, ret_len);
}
