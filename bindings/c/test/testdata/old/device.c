/* A program that talks to a device by itself, with kbus_defns.h alone. Without a device it ends at once. */
#include <kbus/kbus_defns.h>

int main(int argc, char **argv)
{
	kbus_bind_request_t bind = { 0, 6, (char *)"$.Fred" };
	uint32_t id = 0;
	int fd = open(argc > 1 ? argv[1] : "/dev/null", O_RDWR);

	if (fd < 0) {
		printf("%s: %s\n", argv[argc - 1], strerror(errno));
		return EXIT_FAILURE;
	}
	assert(sizeof(kbus_message_t) == 88 || sizeof(kbus_message_t) == 72);
	if (ioctl(fd, KBUS_IOC_BIND, &bind) < 0 || ioctl(fd, KBUS_IOC_KSOCKID, &id) < 0)
		printf("%d\n", errno == ENOTTY);
	free(malloc(id + 1));
	return close(fd);
}
