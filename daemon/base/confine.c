/* base/confine.c - a filter in the kernel (seccomp) against what nobody here has a reason
 * to do. nunciod reads what strangers send; who takes it over that way would like a
 * shell. The answer is SIGSYS for the whole process and not an error: no code of ours
 * or of our libraries ever executes a program, so that whoever tries is not us, and must
 * not get a second try; the kernel's audit log names it, and the service manager starts
 * us again. (A sanitizer's symbolizer is tried in a fork of its own: only that ends.)
 * Without the check of the architecture the same deed would be open by its 32-bit or
 * x32 number. */
#include "base/confine.h"

#include <seccomp.h>
#include <string.h>

#include "failure.h"

static int fill(scmp_filter_ctx filter)
{
	int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(execve), 0);
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(execveat), 0);
	return error ? error : seccomp_load(filter);
}

int confine(struct failure *f)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error = filter ? fill(filter) : -1;

	if (filter)
		seccomp_release(filter);
	if (error)
		return failure_set(f, FAILURE_SETUP,
				   "the kernel can't forbid us to execute programs: %s",
				   filter ? strerror(-error) : "no memory");
	return 0;
}
