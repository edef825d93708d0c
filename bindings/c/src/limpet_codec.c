#include <arpa/inet.h>
#include <string.h>

#include "kbus/limpet.h"

/* Messages as they travel between two Limpets (R9.8, R9.10): the words of the header in network order, without the two
 * pointers; and of a bind event also the three numbers in its data. */

void kbus_serialise_message_header(const kbus_message_t *msg, uint32_t serial[KBUS_SERIALISED_HDR_LEN])
{
	const uint32_t words[KBUS_SERIALISED_HDR_LEN] = {
		msg->start_guard, msg->id.network_id, msg->id.serial_num, msg->in_reply_to.network_id, msg->in_reply_to.serial_num,
		msg->to, msg->from, msg->orig_from.network_id, msg->orig_from.local_id, msg->final_to.network_id,
		msg->final_to.local_id, msg->extra, msg->flags, msg->name_len, msg->data_len, msg->end_guard,
	};
	for (int i = 0; i < KBUS_SERIALISED_HDR_LEN; i++)
		serial[i] = htonl(words[i]);
}

void kbus_unserialise_message_header(uint32_t serial[KBUS_SERIALISED_HDR_LEN], kbus_message_t *msg)
{
	for (int i = 0; i < KBUS_SERIALISED_HDR_LEN; i++)
		serial[i] = ntohl(serial[i]);
	memset(msg, 0, sizeof *msg);
	msg->start_guard = serial[0];
	msg->id.network_id = serial[1];
	msg->id.serial_num = serial[2];
	msg->in_reply_to.network_id = serial[3];
	msg->in_reply_to.serial_num = serial[4];
	msg->to = serial[5];
	msg->from = serial[6];
	msg->orig_from.network_id = serial[7];
	msg->orig_from.local_id = serial[8];
	msg->final_to.network_id = serial[9];
	msg->final_to.local_id = serial[10];
	msg->extra = serial[11];
	msg->flags = serial[12];
	msg->name_len = serial[13];
	msg->data_len = serial[14];
	msg->end_guard = serial[15];
}

static void swap_event(const kbus_message_t *msg, uint32_t (*swap)(uint32_t))
{
	uint32_t words[3];
	if (msg->data_len < sizeof words)
		return;
	void *data = kbus_msg_data_ptr(msg);
	memcpy(words, data, sizeof words);
	for (int i = 0; i < 3; i++)
		words[i] = swap(words[i]);
	memcpy(data, words, sizeof words);
}

static uint32_t to_network(uint32_t v) { return htonl(v); }
static uint32_t from_network(uint32_t v) { return ntohl(v); }

void kbus_limpet_ReplierBindEvent_hton(kbus_message_t *msg) { swap_event(msg, to_network); }
void kbus_limpet_ReplierBindEvent_ntoh(kbus_message_t *msg) { swap_event(msg, from_network); }
