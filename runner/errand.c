/* runner/errand.c - decides when an errand is over, and passes on what its process said. */
#include "errand.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "config/secret_ref.h"
#include "descriptors.h"
#include "failure.h"
#include "teller.h"

#define PIECE 4096

static void drop(struct errands *errands, size_t i)
{
	struct errand *e = &errands->at[i];

	close(e->fd);
	buf_wipe(&e->said);
	*e = errands->at[--errands->n];
}

int errands_begin(struct errands *errands, const struct secret_ref *ref, int64_t within_ms,
		  uint64_t *ret_number, struct failure *f)
{
	int fds[2];

	if (errands->n == ERRANDS_MAX)
		return failure_set(f, FAILURE_LATER, "%d commands say secrets just now",
				   ERRANDS_MAX);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return failure_errno(f, FAILURE_LATER, errno, "no pipe for it");
	pid_t pid = fork();

	if (pid == 0) {
		descriptors_close_others(&fds[1], 1);
		teller_run(ref, within_ms, fds[1]);
	}
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return failure_set(f, FAILURE_LATER, "no process for it");
	}
	struct errand *e = &errands->at[errands->n++];

	*e = (struct errand){.number = ++errands->last, .fd = fds[0]};
	fcntl(e->fd, F_SETFL, O_NONBLOCK);
	buf_init(&e->said, TELLER_ANSWER_MAX);
	buf_room(&e->said, TELLER_ANSWER_MAX); /* it never moves: no copy is left behind */
	*ret_number = e->number;
	return 0;
}

bool errands_look(struct errands *errands, size_t i, uint64_t *ret_number, json_t **ret)
{
	struct errand *e = &errands->at[i];
	char *place = buf_room(&e->said, PIECE);
	ssize_t n = place ? read(e->fd, place, PIECE) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n > 0) {
		buf_wrote(&e->said, (size_t)n);
		return false;
	}
	*ret_number = e->number;
	*ret = json_loadb(buf_bytes(&e->said), e->said.len, 0, NULL);
	if (!*ret)
		*ret = json_pack("{s:s}", "reason", "it was ended from outside");
	drop(errands, i);
	return true;
}

void errands_clear(struct errands *errands)
{
	while (errands->n)
		drop(errands, errands->n - 1);
}
