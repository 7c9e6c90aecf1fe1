/* Private streams; see private.h. */
#include "tls/private.h"

#include "tls/engine.h"

const struct stream_app *private_app;
struct net_app private_net_app;
struct tls_counters private_counters;

size_t private_session_len(void)
{
	return tls_keys_len();
}

bool private_send(struct stream *s, const void *head, size_t head_len,
    const void *body, size_t body_len, size_t *taken)
{
	(void)s, (void)head, (void)head_len, (void)body, (void)body_len;
	(void)taken;
	panic("no private streams yet");
}

size_t private_send_static(struct stream *s, const void *data, size_t len)
{
	(void)s, (void)data, (void)len;
	panic("no private streams yet");
}

void private_resume(struct stream *s)
{
	(void)s;
}

void private_close(struct stream *s)
{
	(void)s;
}
