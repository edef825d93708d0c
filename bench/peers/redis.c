/* Redis PUBLISH and SUBSCRIBE, with hiredis over the Unix socket REDIS_SOCKET. A connection that subscribes can do
 * nothing else, so each client has two. Redis answers each PUBLISH; the answer is read when what matters has been done,
 * and a producer has up to 64 open. */
#include <hiredis/hiredis.h>

#include "gauge.h"

static redisContext *talk, *subscribed;
static int unanswered;

static redisContext *dial(void)
{
	redisContext *c = redisConnectUnix(gauge_setting("REDIS_SOCKET"));
	if (!c || c->err)
		gauge_die("cannot connect: %s", c ? c->errstr : "no memory");
	return c;
}

static redisReply *read_reply(redisContext *c)
{
	void *r;
	if (redisGetReply(c, &r) != REDIS_OK)
		gauge_die("%s", c->errstr);
	redisReply *reply = r;
	if (reply->type == REDIS_REPLY_ERROR)
		gauge_die("%s", reply->str);
	return reply;
}

static void post(const char *channel, const void *data, size_t size)
{
	redisAppendCommand(talk, "PUBLISH %s %b", channel, data, size);
	unanswered++;
}

static void flush(void)
{
	for (; unanswered > 0; unanswered--)
		freeReplyObject(read_reply(talk));
}

static void open_(enum role role, int index)
{
	static const char *const channels[] = {[REPLIER] = "ask", [REQUESTER] = "answer", [CONSUMER] = "stream"};
	const char *channel = role == PRODUCER || role == IDLER ? NULL : channels[role];
	(void)index;
	talk = dial();
	subscribed = dial();
	if (channel) {
		redisAppendCommand(subscribed, "SUBSCRIBE %s", channel);
		freeReplyObject(read_reply(subscribed));
	}
}

/* The data of a message that has been published: a triple of "message", channel, data. */
static redisReply *body(const redisReply *r)
{
	if (r->type != REDIS_REPLY_ARRAY || r->elements != 3)
		gauge_die("not a message");
	return r->element[2];
}

static void request(const void *data, size_t size)
{
	post("ask", data, size);
	flush();
	redisReply *r = read_reply(subscribed);
	gauge_answer(body(r)->str, body(r)->len);
	freeReplyObject(r);
}

static void serve(void)
{
	for (;;) {
		redisReply *r = read_reply(subscribed);
		post("answer", body(r)->str, body(r)->len);
		flush();
		freeReplyObject(r);
	}
}

static void publish(const void *data, size_t size)
{
	post("stream", data, size);
	if (unanswered >= 64 || size > 4096)
		flush();
}

static void consume(void)
{
	for (int last = 0; !last;) {
		redisReply *r = read_reply(subscribed);
		last = gauge_take(body(r)->str, body(r)->len);
		freeReplyObject(r);
	}
}

const struct client client = {NULL, open_, request, serve, publish, flush, consume};
