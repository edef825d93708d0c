/* D-Bus with sd-bus: a method call and its return through the bus at BUS_ADDRESS, and signals by a match rule. */
#include <string.h>
#include <systemd/sd-bus.h>

#include "gauge.h"

#define SERVICE "kbus.bench.Echo"
#define FACE "kbus.bench.Face"
#define OBJECT "/kbus/bench"

static sd_bus *bus;
static int last;

static int must(int result)
{
	if (result < 0)
		gauge_die("%s", strerror(-result));
	return result;
}

static int on_call(sd_bus_message *call, void *context, sd_bus_error *error)
{
	const void *data;
	size_t size;
	sd_bus_message *answer;
	(void)context, (void)error;
	must(sd_bus_message_read_array(call, 'y', &data, &size));
	must(sd_bus_message_new_method_return(call, &answer));
	must(sd_bus_message_append_array(answer, 'y', data, size));
	must(sd_bus_send(bus, answer, NULL));
	sd_bus_message_unref(answer);
	return 1;
}

static int on_signal(sd_bus_message *signal, void *context, sd_bus_error *error)
{
	const void *data;
	size_t size;
	(void)context, (void)error;
	must(sd_bus_message_read_array(signal, 'y', &data, &size));
	last = gauge_take(data, size);
	return 1;
}

static void open_(enum role role, int index)
{
	const char *name;
	(void)index;
	must(sd_bus_new(&bus));
	must(sd_bus_set_address(bus, gauge_setting("BUS_ADDRESS")));
	must(sd_bus_set_bus_client(bus, 1));
	must(sd_bus_start(bus));
	must(sd_bus_get_unique_name(bus, &name)); /* waits until the bus has said hello */
	if (role == REPLIER) {
		must(sd_bus_add_object(bus, NULL, OBJECT, on_call, NULL));
		must(sd_bus_request_name(bus, SERVICE, 0));
	} else if (role == CONSUMER) {
		must(sd_bus_add_match(bus, NULL, "type='signal',interface='" FACE "',member='Stream'", on_signal, NULL));
	}
}

static void run(void)
{
	while (!last)
		if (must(sd_bus_process(bus, NULL)) == 0)
			must(sd_bus_wait(bus, UINT64_MAX));
}

static void request(const void *data, size_t size)
{
	sd_bus_message *call, *answer;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	const void *back;
	size_t back_size;
	must(sd_bus_message_new_method_call(bus, &call, SERVICE, OBJECT, FACE, "Echo"));
	must(sd_bus_message_append_array(call, 'y', data, size));
	must(sd_bus_call(bus, call, 0, &error, &answer));
	must(sd_bus_message_read_array(answer, 'y', &back, &back_size));
	gauge_answer(back, back_size);
	sd_bus_message_unref(call);
	sd_bus_message_unref(answer);
}

static void publish(const void *data, size_t size)
{
	sd_bus_message *signal;
	must(sd_bus_message_new_signal(bus, &signal, OBJECT, FACE, "Stream"));
	must(sd_bus_message_append_array(signal, 'y', data, size));
	must(sd_bus_send(bus, signal, NULL));
	sd_bus_message_unref(signal);
}

static void flush(void) { must(sd_bus_flush(bus)); }

const struct client client = {NULL, open_, request, run, publish, flush, run};
