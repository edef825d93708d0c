/* Starts a dbus-broker: dbus-broker-start SOCKET. It does what its own launcher does under systemd, and no more: it
 * makes the listening socket, hands it over together with a policy that allows everything, prints the broker's process
 * number and stays as its controller. The interface is that of dbus-broker 33 and later. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

static int must(int result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "dbus-broker-start: %s: %s\n", what, strerror(-result));
		exit(1);
	}
	return result;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	unlink(path);
	if (s < 0 || bind(s, (struct sockaddr *)&address, sizeof address) || listen(s, 128)) {
		perror("dbus-broker-start");
		exit(1);
	}
	return s;
}

static pid_t start_broker(int controller)
{
	char number[16];
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	snprintf(number, sizeof number, "%d", controller);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	execlp("dbus-broker", "dbus-broker", "--controller", number, "--machine-id", "00112233445566778899aabbccddeeff",
	       "--max-bytes", "1000000000", "--max-fds", "100000", "--max-matches", "100000",
	       "--max-objects", "1000000", NULL);
	perror("dbus-broker");
	_exit(127);
}

/* A policy is batches of rules, chosen by user and by group, and three flags: may connect; own names, with one default
 * rule and prefixes; send; receive. Every rule has a priority. */
#define NAMES "a(btbs)"
#define TRAFFIC "a(btssssuutt)"
#define BATCH "bt" NAMES TRAFFIC TRAFFIC
#define POLICY "(a(u(" BATCH "))a(buu(" BATCH "))a(ss)bs)"

static void append_traffic(sd_bus_message *m)
{
	must(sd_bus_message_append(m, TRAFFIC, 1, 1, (uint64_t)1, "", "", "", "", 0, 0, (uint64_t)0, UINT64_MAX), "policy");
}

static void open_(sd_bus_message *m, char type, const char *contents)
{
	must(sd_bus_message_open_container(m, type, contents), contents);
}

static void close_(sd_bus_message *m) { must(sd_bus_message_close_container(m), "policy"); }

static void append_policy(sd_bus_message *m)
{
	open_(m, 'v', POLICY);
	open_(m, 'r', "a(u(" BATCH "))a(buu(" BATCH "))a(ss)bs");
	open_(m, 'a', "(u(" BATCH "))");
	open_(m, 'r', "u(" BATCH ")");
	must(sd_bus_message_append(m, "u", UINT32_MAX), "policy"); /* any user */
	open_(m, 'r', BATCH);
	must(sd_bus_message_append(m, "bt" NAMES, 1, (uint64_t)1, 1, 1, (uint64_t)1, 1, ""), "policy");
	append_traffic(m);
	append_traffic(m);
	close_(m);
	close_(m);
	close_(m);
	must(sd_bus_message_append(m, "a(buu(" BATCH "))a(ss)bs", 0, 0, 0, "user"), "policy");
	close_(m);
	close_(m);
}

int main(int argc, char **argv)
{
	int pair[2];
	sd_bus *bus;
	sd_bus_message *call, *answer;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	if (argc != 2 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
		return 2;
	int listening = listen_at(argv[1]);
	pid_t pid = start_broker(pair[1]);
	close(pair[1]);
	must(sd_bus_new(&bus), "bus");
	must(sd_bus_set_fd(bus, pair[0], pair[0]), "bus");
	must(sd_bus_start(bus), "bus");
	must(sd_bus_message_new_method_call(bus, &call, NULL, "/org/bus1/DBus/Broker", "org.bus1.DBus.Broker",
	                                    "AddListener"), "AddListener");
	must(sd_bus_message_append(call, "oh", "/org/bus1/DBus/Listener/0", listening), "AddListener");
	append_policy(call);
	if (sd_bus_call(bus, call, 5000000, &error, &answer) < 0) {
		fprintf(stderr, "dbus-broker-start: AddListener: %s\n", error.message);
		return 1;
	}
	printf("%d\n", (int)pid);
	fflush(stdout);
	for (;;) {
		int did = sd_bus_process(bus, NULL);
		if (did < 0)
			return 0; /* the broker has ended */
		if (did == 0)
			must(sd_bus_wait(bus, UINT64_MAX), "wait");
	}
}
