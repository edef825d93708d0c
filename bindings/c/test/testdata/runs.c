/* One result may stand for many messages that were posted, and for no more than have been. */
#include "../../src/link.h"
#include "check.h"

static int result(struct link *l, uint16_t condition, uint32_t more, uint32_t reached)
{
	unsigned char      sent[SENT_BYTES] = {0};
	const struct frame f = {.bytes = SENT_BYTES, .op = OP_SEND_MESSAGE, .condition = condition, .seq = 9, .arg = more};
	kb_put32(sent + 8, reached);
	l->in = sent;
	kb_other(l, &f);
	l->in = NULL;
	return l->gone;
}

int main(void)
{
	struct link     l = {.posts = {.posted = 100}};
	struct posts   *p = &l.posts;
	EQUAL(result(&l, CONDITION_OK, 0, 3), 0);
	EQUAL(p->done, 1);
	EQUAL(result(&l, CONDITION_OK, 49, 2), 0);
	EQUAL(p->done, 51);
	EQUAL(p->totals.accepted, 51);
	EQUAL(p->totals.reached, 103);
	EQUAL(result(&l, 10, 0, 0), 0);
	EQUAL(p->done, 52);
	EQUAL(p->totals.failed, 1);
	EQUAL(result(&l, CONDITION_OK, 47, 1), 0);
	EQUAL(p->done, 100);
	EQUAL(result(&l, CONDITION_OK, 1, 1), 1);
	EQUAL(p->totals.accepted, 99);
	l.gone = 0;
	p->posted = 200;
	EQUAL(result(&l, CONDITION_OK, 100, 1), 1);
	l.gone = 0;
	EQUAL(result(&l, CONDITION_OK, UINT32_MAX, 1), 1);
	EQUAL(p->done, 100);
	return 0;
}
