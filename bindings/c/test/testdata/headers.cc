// All headers are C++, too.
#include "kbus.h"
#include "kbus/kbus_bus.h"
#include "kbus/kbus_tap.h"
#include "limpet.h"
#include "linux/kbus_defns.h"

int main()
{
	kbus_message_t m = kbus_message_t();
	m.flags = KBUS_BIT_WANT_A_REPLY;
	kbus_bus_msg_t b = kbus_bus_msg_t();
	return kbus_msg_is_request(&m) && kbus_bus_is_status(&b) == 0 && KBUS_IOC_RESET == 0x6B01 ? 0 : 1;
}
