/* limpet.h alone, as the Limpets of the original included it. */
#include <kbus/limpet.h>

int main(void)
{
	kbus_limpet_context_t *context = NULL;
	kbus_ksock_t ks = kbus_ksock_open_by_name("/dev/kbus0", O_RDWR);

	if (ks < 0) {
		fprintf(stderr, "%s\n", strerror(-ks));
		return errno ? EXIT_FAILURE : 2;
	}
	assert(kbus_limpet_new_context(ks, 1, 2, "$.*", 0, &context) == 0);
	kbus_limpet_free_context(&context);
	return kbus_ksock_close(ks);
}
