/* config/check_names.c - rows that name other rows: nothing missing, nothing
 * double, no circles. */
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/document.h"

enum { NAMES_MAX_DEPTH = 16 };

struct names {
	struct document *doc;
	struct node *nodes;
	size_t count;
	const char *list, *what;
};

static int compare(const void *a, const void *b)
{
	const struct node *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order || !x->setting || !y->setting)
		return order;
	return config_setting_index(x->setting) - config_setting_index(y->setting);
}

static struct node *find(const struct names *names, const char *name)
{
	struct node key = {.name = name};

	return bsearch(&key, names->nodes, names->count, sizeof(key), compare);
}

/* Where it names others; itself where it names none, at the end of too long a way. */
static const config_setting_t *list_of(const struct names *names, const struct node *node)
{
	const config_setting_t *list = config_setting_get_member(node->setting, names->list);

	return list ? list : node->setting;
}

static void wrong(const struct names *names, const struct node *node, const char *name,
		  const char *what)
{
	document_problem(names->doc, list_of(names, node), "\"%s\" %s", name, what);
}

static unsigned visit(const struct names *names, struct node *node, unsigned depth);

static unsigned visit_next(const struct names *names, struct node *node, const char *name,
			   unsigned depth)
{
	struct node *next = find(names, name);

	if (!next)
		document_problem(names->doc, list_of(names, node), "\"%s\" is no %s", name,
				 names->what);
	else if (next == node)
		wrong(names, node, name, "names itself");
	else if (next->state == NODE_OPEN)
		wrong(names, node, name, "leads in a circle, back to here");
	else
		return visit(names, next, depth + 1);
	return 0;
}

/* Returns how far down it goes from here. */
static unsigned visit(const struct names *names, struct node *node, unsigned depth)
{
	unsigned below = 0;

	if (node->state == NODE_DONE)
		return node->height;
	node->state = NODE_OPEN;
	for (char **to = node->to; to && *to && depth <= NAMES_MAX_DEPTH; to++) {
		unsigned height = 1 + visit_next(names, node, *to, depth);

		if (height > below)
			below = height;
	}
	node->state = NODE_DONE;
	node->height = below;
	if (below > NAMES_MAX_DEPTH || depth > NAMES_MAX_DEPTH)
		wrong(names, node, node->name, "goes on for more than 16 steps");
	return below;
}

void check_names(struct document *doc, struct node *nodes, size_t count, const char *list,
		 const char *what)
{
	struct names names = {doc, nodes, count, list, what};

	qsort(nodes, count, sizeof(*nodes), compare);
	for (size_t i = 1; i < count; i++)
		if (!strcmp(nodes[i].name, nodes[i - 1].name)) {
			document_problem(doc, nodes[i].setting, "the name is taken already");
			return;
		}
	for (size_t i = 0; i < count; i++)
		visit(&names, &nodes[i], 0);
}
