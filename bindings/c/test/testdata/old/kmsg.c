/* A command-line tool as one was written for the original library, with the options that such tools had. It includes
 * the one header and nothing else. */
#include <kbus/kbus.h>

static int verbose;

static int usage(const char *name)
{
	fprintf(stderr, "usage: %s [-bus N] [-v] listen|reply NAME COUNT, or send|call NAME s|h DATA\n", name);
	return 1;
}

static int hex(const char *text, uint8_t **data, uint32_t *len)
{
	size_t ii, n = strlen(text);

	if (n % 2 != 0)
		return -EINVAL;
	*data = (uint8_t *)malloc(n / 2 + 1);
	if (*data == NULL)
		return -ENOMEM;
	for (ii = 0; ii < n / 2; ++ii) {
		char pair[3] = { text[2 * ii], text[2 * ii + 1], 0 };
		char *end = NULL;

		(*data)[ii] = (uint8_t)strtoul(pair, &end, 16);
		if (end != pair + 2) {
			free(*data);
			return -EINVAL;
		}
	}
	*len = (uint32_t)(n / 2);
	return 0;
}

static int do_listen(kbus_ksock_t ks, const char *name, int count, int replying)
{
	uint32_t id = 0;
	int rv = kbus_ksock_bind(ks, name, replying);

	if (rv < 0) {
		fprintf(stderr, "cannot bind to %s: %s [%d]\n", name, strerror(-rv), -rv);
		return 11;
	}
	if (kbus_ksock_id(ks, &id) < 0)
		return 12;
	printf("bound to '%s'\n", name);
	fflush(stdout);
	while (count > 0) {
		kbus_message_t *msg = NULL;

		rv = kbus_wait_for_message(ks, KBUS_KSOCK_READABLE);
		if (rv < 0)
			return 3;
		assert((rv & KBUS_KSOCK_READABLE) != 0);
		rv = kbus_ksock_read_next_msg(ks, &msg);
		if (rv < 0) {
			fprintf(stderr, "cannot read: %s\n", strerror(-rv));
			return 2;
		}
		if (msg == NULL)
			continue;
		if (verbose)
			kbus_msg_dump(msg, 1);
		kbus_msg_print2(stdout, msg, KBUS_MSG_PRINT_FLAGS_ABBREVIATE);
		printf("\n");
		fflush(stdout);
		if (replying && kbus_msg_wants_us_to_reply(msg)) {
			kbus_message_t *reply = NULL;
			kbus_msg_id_t msg_id;

			if (kbus_msg_create_reply_to(&reply, msg, NULL, 0, 0) < 0 ||
			    kbus_ksock_send_msg(ks, reply, &msg_id) < 0)
				return 4;
			kbus_msg_delete(&reply);
		}
		kbus_msg_delete(&msg);
		count--;
	}
	return 0;
}

static int do_send(kbus_ksock_t ks, const char *name, const char *format, char *text, int wanting)
{
	kbus_message_t *msg = NULL;
	kbus_msg_id_t msg_id;
	uint8_t *data = NULL;
	uint32_t len = 0;
	int rv = 0;

	switch (format[0]) {
	case 's':
		data = (uint8_t *)strdup(text);
		len = (uint32_t)strlen(text);
		break;
	case 'h':
		rv = hex(text, &data, &len);
		break;
	default:
		rv = -EINVAL;
	}
	if (rv != 0)
		return 20;
	rv = wanting ? kbus_msg_create_entire_request(&msg, name, strlen(name), data, len, 0)
		     : kbus_msg_create_entire(&msg, name, strlen(name), data, len, 0);
	free(data);
	if (rv < 0)
		return 21;
	rv = kbus_ksock_send_msg(ks, msg, &msg_id);
	kbus_msg_delete(&msg);
	if (rv < 0) {
		fprintf(stderr, "cannot send: %s [%d]\n", strerror(-rv), -rv);
		return 22;
	}
	while (wanting) {
		kbus_message_t *reply = NULL;

		if (kbus_wait_for_message(ks, KBUS_KSOCK_READABLE) < 0 || kbus_ksock_read_next_msg(ks, &reply) < 0)
			return 23;
		if (reply == NULL)
			continue;
		if (kbus_msg_is_reply(reply) && kbus_msg_compare_ids(&reply->in_reply_to, &msg_id) == 0) {
			printf("answered\n");
			wanting = 0;
		}
		kbus_msg_delete(&reply);
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t bus = 0;
	int ii = 1, rv;
	kbus_ksock_t ks;

	if (ii + 1 < argc && !strcmp(argv[ii], "-bus")) {
		bus = (uint32_t)atoi(argv[ii + 1]);
		ii += 2;
	}
	if (ii < argc && !strcmp(argv[ii], "-v")) {
		verbose = 1;
		++ii;
	}
	if (argc - ii < 3)
		return usage(argv[0]);
	ks = kbus_ksock_open(bus, O_RDWR);
	if (ks < 0) {
		fprintf(stderr, "cannot open bus %" PRIu32 ": %s\n", bus, strerror(-ks));
		return 10;
	}
	if (!strcmp(argv[ii], "listen") || !strcmp(argv[ii], "reply"))
		rv = do_listen(ks, argv[ii + 1], atoi(argv[ii + 2]), argv[ii][0] == 'r');
	else if (argc - ii >= 4 && (!strcmp(argv[ii], "send") || !strcmp(argv[ii], "call")))
		rv = do_send(ks, argv[ii + 1], argv[ii + 2], argv[ii + 3], argv[ii][0] == 'c');
	else
		rv = usage(argv[0]);
	kbus_ksock_close(ks);
	return rv;
}
