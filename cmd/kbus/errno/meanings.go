package errno

import "syscall"

// What KBUS means by an error number (R7.6), and what the daemon and this command mean by those that the original did
// not have. Several conditions share a number, so each number has a list. A test holds it against the list of
// conditions.
var meanings = map[syscall.Errno][]Meaning{
	syscall.EPERM: {
		{"Any operation", "this user may not do that."},
		{"Settings, new bus", "a switch of the whole bus, which is for its administrators: see the setting administration " +
			"of the daemon."},
	},
	syscall.ENOENT: {
		{"Open", "there is no bus of that number, or no daemon runs in that directory."},
		{"kbus", "the command line itself was wrong; the first line on standard error says how."},
	},
	syscall.ESRCH: {
		{"Ask who a Ksock is", "the bus does not know a Ksock of that id, or not any more."},
	},
	syscall.EBADF: {
		{"Send, receive", "the Ksock was not opened for that direction."},
		{"Any operation", "the Ksock has been closed."},
	},
	syscall.EAGAIN: {
		{"Send with ALL_OR_WAIT", "somebody's queue is full. The message has its id and waits until all who should " +
			"get it have room. Until then the Ksock can send nothing else; the message can be discarded."},
		{"Bind, unbind a Replier", "somebody who listens for replier bind events has not caught up. Nothing has " +
			"changed; try again."},
		{"Bind a Replier", "the bus is joined to others, and they have not said yet whether the name is free. Try again; " +
			"only a device answers so, all others wait."},
		{"Read, write", "interrupted; try again."},
	},
	syscall.ENOMEM: {
		{"Any operation", "out of memory."},
	},
	syscall.EACCES: {
		{"Open", "the permissions of the bus's socket do not let this user in."},
		{"Any operation", "a rule of the bus denies it. The error names the rule, and kbus explain says more."},
	},
	syscall.EFAULT: {
		{"Any operation", "an address points to memory that the caller cannot use."},
	},
	syscall.EBUSY: {
		{"Send", "the queue of the Replier is full, or, with ALL_OR_FAIL, that of some Listener. Nobody got the message."},
		{"Turn replier bind reports on", "the caller's own queue has no room for the report of all Repliers there are. " +
			"The reports stay off."},
	},
	syscall.EINVAL: {
		{"Write", "the message is malformed: a guard is wrong, or the lengths contradict the rest."},
		{"Send", "ALL_OR_WAIT and ALL_OR_FAIL at once, or a message that has been written only in part."},
		{"Unbind", "the Ksock has no such binding. Name and role must be those of the bind, to the letter."},
		{"Settings", "a switch takes 0, 1 or 0xFFFFFFFF; the maximum message size must be within its range."},
		{"New bus", "there are 256 already."},
	},
	syscall.ENFILE: {
		{"Open", "the limit on connections of the bus, all users together, is reached."},
	},
	syscall.ENOTTY: {
		{"ioctl, request", "there is no operation of that number."},
	},
	syscall.EPIPE: {
		{"Send a stateful Request", "the Replier with that id is no longer bound to the name. What it knew of the " +
			"conversation is gone with it; begin a new one with an ordinary Request."},
	},
	syscall.ENAMETOOLONG: {
		{"Bind, unbind, send", "the name is longer than 1000 bytes."},
		{"Find the Replier", "the name is longer than 1000 bytes, or empty."},
	},
	syscall.ENOLCK: {
		{"Send a Request", "the sender's own queue has no room to keep for the Reply. Read some messages first."},
	},
	syscall.ENOMSG: {
		{"Send", "there is nothing to send: no message was written, or the one that waited has gone out."},
	},
	syscall.EBADMSG: {
		{"Bind, unbind", "that is no name. A name is words of ASCII letters, digits, _ and -, with dots between, after \"$.\"; " +
			"the last word may be * or %. Nobody can be the Replier for $.KBUS.ReplierBindEvent."},
		{"Send", "that is no name, or it has a wildcard, which only a binding may have."},
	},
	syscall.EMSGSIZE: {
		{"Write, send", "the message is over the maximum size of the bus, or goes on after its end."},
	},
	syscall.EADDRINUSE: {
		{"Bind", "another Ksock is the Replier for that name. There can be one only."},
	},
	syscall.EADDRNOTAVAIL: {
		{"Send a Request", "nobody is bound as Replier for that name."},
		{"Send a Reply", "the Ksock that asked is not open any more."},
	},
	syscall.ECONNRESET: {
		{"kbus ask", "instead of a Reply came a Status: the Replier went away, or the Request could not be delivered " +
			"after it had waited for room."},
	},
	syscall.ENOBUFS: {
		{"Bind, send", "the limit on bindings, or on bytes in queues, of the bus is reached, all users together."},
	},
	syscall.ENOTCONN: {
		{"Any operation", "the bus is gone: its daemon has ended, or it has ended this connection."},
	},
	syscall.ESHUTDOWN: {
		{"Open, send a Request", "the bus is about to end. It takes no new Requests; those that it has taken still get " +
			"their Replies."},
	},
	syscall.ETIMEDOUT: {
		{"kbus ask, kbus send --wait", "the time given with --timeout has passed."},
	},
	syscall.ECONNREFUSED: {
		{"Send a Reply", "the addressee waits for no such Reply, or not from this Ksock. Only the Ksock that was asked, " +
			"and has read the Request, may reply to it, and only once."},
	},
	syscall.EEXIST: {
		{"Send by a Limpet", "the message has come to this bus another way before, and its Listeners have heard it."},
	},
	syscall.ESTALE: {
		{"Send by a Limpet", "the message is so old that nobody knows whether it has come to this bus another way before."},
	},
	syscall.ENOTUNIQ: {
		{"Join a bus to others", "other Limpets on the bus have another network id. A bus has one: give all of its Limpets " +
			"the same --id."},
	},
	syscall.EHOSTUNREACH: {
		{"Bind a Replier", "the bus is joined to others, and nobody can tell now whether the name is free there: too few of " +
			"them can be reached, or the Limpet has gone. Try again later."},
	},
	syscall.EALREADY: {
		{"Write, send", "the last message still waits until all have room. Wait too, or discard it."},
	},
	syscall.EDQUOT: {
		{"Open, bind, send, new bus", "a limit per user is reached, on connections, bindings, wildcard bindings, bytes in " +
			"queues or buses. The message names it."},
		{"Bind", "the Ksock has bound that name 16 times already, which is the most."},
	},
	syscall.ECANCELED: {
		{"Operations that wait", "the caller has given up waiting."},
	},
}
