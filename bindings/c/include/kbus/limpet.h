/* What a Limpet needs: messages as they travel between two Limpets, and what becomes of each of them on its way (part 9
 * of the specification). The stream, and reading and writing it, are the program's. */
#ifndef KBUS_LIMPET_H
#define KBUS_LIMPET_H

#include "kbus.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Words in a message header as it travels. All of them are in network order. */
#define KBUS_SERIALISED_HDR_LEN 16

typedef struct kbus_limpet_context kbus_limpet_context_t;

/* Writes the header of a message as it travels: 16 words in network order, without the pointers. */
KBUS_API void kbus_serialise_message_header(const kbus_message_t *msg, uint32_t serial[KBUS_SERIALISED_HDR_LEN]);

/* Reads a header that has travelled. The words are put into the order of the machine in place, too; name and data of
 * the message become NULL. Guards and lengths are not checked: do, before anything of that length is read. */
KBUS_API void kbus_unserialise_message_header(uint32_t serial[KBUS_SERIALISED_HDR_LEN], kbus_message_t *msg);

/* Makes the context of one Limpet: network_id is its own, other_network_id that of its pair; they must differ and not
 * be 0 (-EINVAL). Turns only-once on, binds message_name and $.KBUS.ReplierBindEvent as Listener, and turns bind
 * reports on. -EBADMSG for a name that is NULL or too short. verbosity 0 is quiet, 1 tells what goes wrong, 2 each
 * message, all on standard error. */
KBUS_API int kbus_limpet_new_context(kbus_ksock_t ksock, uint32_t network_id, uint32_t other_network_id,
                                     const char *message_name, int verbosity, kbus_limpet_context_t **context);

/* Changes the verbosity of a context. */
KBUS_API void kbus_limpet_set_verbosity(kbus_limpet_context_t *context, int verbosity);

/* Frees a context and sets *context to NULL. The Ksock stays open. */
KBUS_API void kbus_limpet_free_context(kbus_limpet_context_t **context);

/* Changes a message that was read from the Ksock into what the pair should get. Returns 0 to send it on, 1 to ignore
 * it, or -errno. */
KBUS_API int kbus_limpet_amend_msg_from_kbus(kbus_limpet_context_t *context, kbus_message_t *msg);

/* Changes a message that has come from the pair, in the pointy form, into what the Ksock should send. Returns 0 to send
 * it, 1 to ignore it, 2 if *error should go back to the pair instead (free it with kbus_msg_delete_all), or -errno. */
KBUS_API int kbus_limpet_amend_msg_to_kbus(kbus_limpet_context_t *context, kbus_message_t *msg, kbus_message_t **error);

/* Says what to do about a message from the pair that could not be sent; errnum is what kbus_ksock_send_msg returned.
 * Returns 0 if *error should go back to the pair (free it with kbus_msg_delete_all), 1 if there is nothing to do. If it was a
 * Reply, whoever has asked has got a Status then, on the Ksock's own bus. */
KBUS_API int kbus_limpet_could_not_send_to_kbus_msg(kbus_limpet_context_t *context, const kbus_message_t *msg,
                                                    int errnum, kbus_message_t **error);

/* Puts the three numbers in the data of a $.KBUS.ReplierBindEvent into network order, in place. */
KBUS_API void kbus_limpet_ReplierBindEvent_hton(kbus_message_t *msg);

/* Puts the three numbers in the data of a $.KBUS.ReplierBindEvent into the order of the machine, in place. */
KBUS_API void kbus_limpet_ReplierBindEvent_ntoh(kbus_message_t *msg);

#ifdef __cplusplus
}
#endif

#endif
