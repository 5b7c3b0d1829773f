/* net/libcurl.h - libcurl, loaded with the first request: with the libraries behind it, it
 * costs more time and memory than all else that nunciod links. */
#ifndef NUNCIO_NET_LIBCURL_H
#define NUNCIO_NET_LIBCURL_H
#define CURL_DISABLE_TYPECHECK /* its macros would go by the functions' names */
#include <curl/curl.h>
struct failure;

/* Each is libcurl's function of that name, without its "curl_". */
#define LIBCURL_FUNCTIONS(X)                                                                       \
	X(easy_cleanup)                                                                            \
	X(easy_getinfo)                                                                            \
	X(easy_header)                                                                             \
	X(easy_init)                                                                               \
	X(easy_setopt)                                                                             \
	X(easy_strerror)                                                                           \
	X(free)                                                                                    \
	X(getdate)                                                                                 \
	X(global_cleanup)                                                                          \
	X(global_init)                                                                             \
	X(multi_add_handle)                                                                        \
	X(multi_assign)                                                                            \
	X(multi_cleanup)                                                                           \
	X(multi_info_read)                                                                         \
	X(multi_init)                                                                              \
	X(multi_remove_handle)                                                                     \
	X(multi_setopt)                                                                            \
	X(multi_socket_action)                                                                     \
	X(multi_strerror)                                                                          \
	X(slist_append)                                                                            \
	X(slist_free_all)                                                                          \
	X(url)                                                                                     \
	X(url_cleanup)                                                                             \
	X(url_get)                                                                                 \
	X(url_set)

#define LIBCURL_FIELD(name) __typeof__(curl_##name) *name;
struct libcurl {
	LIBCURL_FUNCTIONS(LIBCURL_FIELD)
};
#undef LIBCURL_FIELD

extern struct libcurl libcurl; /* to be called only once it is loaded */
/* Only from the loop's thread. Returns 0, or -1 with *f (FAILURE_SETUP). */
int libcurl_load(struct failure *f);
#endif
