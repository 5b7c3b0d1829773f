/* common/soname.c - run by the build: prints the soname of the library that has SYMBOL. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define NAME_OF(symbol) #symbol
#define NAME(symbol) NAME_OF(symbol)

void SYMBOL(void);

int main(void)
{
	static void (*volatile needed)(void) = SYMBOL; /* so that the library is linked */
	void *symbol = dlsym(RTLD_DEFAULT, NAME(SYMBOL));
	Dl_info info;

	if (!needed || !symbol || !dladdr(symbol, &info))
		return 1;
	const char *slash = strrchr(info.dli_fname, '/');

	puts(slash ? slash + 1 : info.dli_fname);
	return 0;
}
