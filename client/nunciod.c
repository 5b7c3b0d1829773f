/* client/nunciod.c - decides which nunciod is meant: the one installed beside this
 * program, else the one in $PATH. */
#include "nunciod.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "program.h"

#define SAID_MAX 65536

static void read_all(int fd, char **ret_said)
{
	struct buf said;
	char piece[4096];
	ssize_t got;

	buf_init(&said, SAID_MAX);
	while ((got = read(fd, piece, sizeof(piece))) > 0 || (got < 0 && errno == EINTR))
		if (got > 0 && said.len + (size_t)got < SAID_MAX)
			buf_add(&said, piece, (size_t)got);
	while (said.len && buf_bytes(&said)[said.len - 1] == '\n')
		said.len--;
	*ret_said = xprintf("%.*s", (int)said.len, said.len ? (const char *)buf_bytes(&said) : "");
	buf_clear(&said);
}

int nunciod_run(const char *deed, const char *file, char **ret_said)
{
	const char *arguments[] = {"nunciod", deed, file ? "-f" : NULL, file, NULL};
	int pipes[2], status = 0;

	*ret_said = NULL;
	if (pipe(pipes) < 0)
		return 127;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		program_become("nunciod", "nunciod", (char **)(void *)arguments);
		_exit(127);
	}
	close(pipes[1]);
	read_all(pipes[0], ret_said);
	close(pipes[0]);
	if (pid < 0)
		return 127;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
