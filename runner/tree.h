/* runner/tree.h - takes a directory away with all that others may have put into it. */
#ifndef NUNCIO_RUNNER_TREE_H
#define NUNCIO_RUNNER_TREE_H

/* Follows no symbolic link, whoever changes the tree meanwhile, and goes as deep as it is.
 * What can't be removed stays. */
void tree_remove(int parent, const char *name);
/* All in parent whose name begins with a dot: what was renamed to be removed. */
void tree_sweep(int parent);
#endif
