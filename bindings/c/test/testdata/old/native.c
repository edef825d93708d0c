/* The native layer of a binding as one was written for the original library: functions that a virtual machine calls,
 * from several of its threads, with arrays that it owns and that are handed in and out as bytes. Here the machine is
 * played by two threads. */
#include <kbus/kbus.h>
#include <kbus/limpet.h>

#include <poll.h>
#include <pthread.h>

typedef int32_t jint;
typedef int64_t jlong;

static jint native_open(jint device, const char *mode) { return kbus_ksock_open(device, strcmp(mode, "r") == 0 ? O_RDONLY : O_RDWR); }

/* The bytes of a whole message, as it is read. */
static jint native_read(jint fd, uint8_t **bytes, jint *length)
{
	uint32_t size = 0;
	kbus_message_t *msg = NULL;
	int rv = kbus_ksock_next_msg(fd, &size);

	if (rv <= 0)
		return rv;
	rv = kbus_ksock_read_msg(fd, &msg, size);
	if (rv < 0)
		return rv;
	*length = (jint)size;
	*bytes = (uint8_t *)malloc(size);
	memcpy(*bytes, msg, size);
	free(msg);
	return 1;
}

/* Sends bytes, in pieces. */
static jlong native_write(jint fd, uint8_t *bytes, jint length)
{
	kbus_msg_id_t id;
	int rv = kbus_ksock_write_data(fd, bytes, 7);

	if (rv == 0)
		rv = kbus_ksock_write_data(fd, bytes + 7, length - 7);
	if (rv == 0)
		rv = kbus_ksock_send(fd, &id);
	return rv < 0 ? rv : (jlong)id.network_id << 32 | id.serial_num;
}

static jint native_wait(jint fd, jint milliseconds)
{
	struct pollfd fds[1];

	memset(fds, 0, sizeof(fds));
	fds[0].fd = fd;
	fds[0].events = POLLIN;
	return poll(fds, 1, milliseconds) < 0 ? -errno : fds[0].revents;
}

static void *echo(void *arg)
{
	jint fd = *(jint *)arg;
	int ii;

	for (ii = 0; ii < 100; ii++) {
		uint8_t *bytes = NULL;
		jint length = 0;
		kbus_message_t *reply = NULL;

		if (!(native_wait(fd, -1) & POLLIN) || native_read(fd, &bytes, &length) != 1)
			return "read";
		if (kbus_msg_create_entire_reply_to(&reply, (kbus_message_t *)bytes,
						    kbus_msg_data_ptr((kbus_message_t *)bytes),
						    ((kbus_message_t *)bytes)->data_len, 0) < 0)
			return "reply";
		if (native_write(fd, (uint8_t *)reply, kbus_msg_sizeof(reply)) < 0)
			return "write";
		kbus_msg_delete(&reply);
		free(bytes);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread;
	void *failed = NULL;
	uint32_t words[KBUS_SERIALISED_HDR_LEN];
	jint server = native_open(0, "rw"), client = native_open(0, "rw"), ii;

	if (server < 0 || client < 0 || kbus_ksock_bind(server, "$.Echo", 1) != 0)
		return 1;
	pthread_create(&thread, NULL, echo, &server);
	for (ii = 0; ii < 100; ii++) {
		kbus_message_t *msg = NULL;
		uint8_t *bytes = NULL;
		jint length = 0;
		jlong id;

		if (kbus_msg_create_entire_request(&msg, "$.Echo", 6, &ii, sizeof(ii), 0) < 0)
			return 2;
		id = native_write(client, (uint8_t *)msg, kbus_msg_sizeof(msg));
		kbus_msg_delete(&msg);
		if (id < 0 || !(native_wait(client, -1) & POLLIN) || native_read(client, &bytes, &length) != 1)
			return 3;
		msg = (kbus_message_t *)bytes;
		if (msg->in_reply_to.serial_num != (uint32_t)id || memcmp(kbus_msg_data_ptr(msg), &ii, sizeof(ii)) != 0)
			return 4;
		kbus_serialise_message_header(msg, words);
		free(bytes);
	}
	pthread_join(thread, &failed);
	if (failed)
		fprintf(stderr, "the echo failed to %s\n", (char *)failed);
	kbus_ksock_close(client);
	return failed || kbus_ksock_close(server) != 0;
}
