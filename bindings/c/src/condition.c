#include <errno.h>
#include <stddef.h>

#include "wire.h"

/* The conditions of docs/protocol.md, section 12, by their numbers, which never change. One that is not here comes from
 * a bus that is newer than this library, and is a failure. */

static const struct {
	int         error;
	const char *text;
} conditions[] = {
	{0, "success"},
	{EAGAIN, "a queue is full; the message waits until everybody has room"},
	{EBUSY, "the Replier's queue is full"},
	{EBUSY, "a Listener's queue is full, so nobody got the message"},
	{EADDRNOTAVAIL, "nobody is bound as Replier for that name"},
	{EADDRNOTAVAIL, "the Ksock that the Reply is for is not open"},
	{ECONNREFUSED, "the addressee does not expect that Reply"},
	{ECONNREFUSED, "only the Ksock that was asked, and has read the Request, may reply to it"},
	{EPIPE, "the Replier with that id is no longer bound to the name"},
	{ENOLCK, "your own queue has no room for the Reply: read some messages first"},
	{ENOMSG, "there is no message to send"},
	{EINVAL, "the message is not complete"},
	{EALREADY, "the last message still waits to be sent: wait until it is, or discard it"},
	{EINVAL, "the message is malformed"},
	{EINVAL, "ALL_OR_WAIT and ALL_OR_FAIL exclude each other"},
	{EBADMSG, "not a valid name here: words of ASCII letters, digits, _ and - after \"$.\", wildcards only when binding"},
	{ENAMETOOLONG, "the name is longer than 1000 bytes, or empty"},
	{EMSGSIZE, "the message is over the bus's maximum size"},
	{EMSGSIZE, "bytes after the end of the message"},
	{EADDRINUSE, "the name has a Replier already"},
	{EINVAL, "this Ksock has no such binding"},
	{EAGAIN, "somebody who listens for replier bind events has not caught up: try again"},
	{EBUSY, "your queue has no room for the report of all replier bindings"},
	{EINVAL, "a switch takes 0 (off), 1 (on) or 0xFFFFFFFF (just ask)"},
	{EINVAL, "the maximum message size is out of range"},
	{EINVAL, "no more buses: limit buses reached"},
	{ENOENT, "there is no such bus; is kbusd running?"},
	{EBADF, "the Ksock was not opened for that direction"},
	{ENOTTY, "there is no such operation"},
	{EFAULT, "memory of the caller cannot be read or written"},
	{ENOMEM, "out of memory"},
	{EAGAIN, "interrupted: try again"},
	{EDQUOT, "limit user-connections reached"},
	{ENFILE, "limit connections reached"},
	{EDQUOT, "limit user-bindings reached"},
	{ENOBUFS, "limit bindings reached"},
	{EDQUOT, "limit user-queue-bytes reached"},
	{ENOBUFS, "limit queue-bytes reached"},
	{ESHUTDOWN, "the bus is stopping and takes no new Requests"},
	{ENOTCONN, "the bus is gone"},
	{EBADF, "the Ksock is closed"},
	{ECANCELED, "given up"},
	{EPERM, "not permitted"},
	{EAGAIN, "the federation has not yet said whether the name is free: try again"},
	{EHOSTUNREACH, "the federation cannot say now whether the name is free: try again later"},
	{EEXIST, "the message has been heard on this bus before"},
	{ESTALE, "the message is so old that nobody knows whether it has been heard on this bus before"},
	{ENOTUNIQ, "the bus has another network id already: all its Limpets must say the same"},
	{EPERM, "this switch of the whole bus is for its administrators: see the setting administration"},
	{EDQUOT, "limit user-wildcards reached"},
	{EDQUOT, "a Ksock may bind the same name 16 times at most"},
	{EDQUOT, "limit new-buses-per-user reached"},
	{ESRCH, "the bus does not know that Ksock, or not any more"},
	{EACCES, "a rule of the bus denies it"},
};

int kb_errno(unsigned condition)
{
	return condition < sizeof conditions / sizeof *conditions ? conditions[condition].error : EPROTO;
}

const char *kb_text(unsigned condition)
{
	return condition < sizeof conditions / sizeof *conditions ? conditions[condition].text
	                                                          : "a condition that this library does not know";
}
